import type { DType } from './dtype.js';
import { holdsEvery } from './holds-every.js';
import type { WeightStep } from './weight-step.js';
import type { Weight, WeightContent } from './weight.js';

/** One step from a stored tensor of the source to a tensor of the target, the first one first. */
export type TensorStep =
  | WeightStep
  /** The elements stand from `start` on along one axis of a tensor of `size` there. */
  | {
      readonly kind: 'place';
      readonly axis: number;
      readonly start: number;
      readonly size: number;
    }
  /** What an operator computed, as conversion folded it, from all stored tensors that are named. */
  | {
      readonly kind: 'computed';
      readonly op: string;
      readonly from: readonly string[];
      readonly dtype: DType;
      readonly shape: readonly number[];
    };

/** How a tensor of the target holds a stored tensor of the source. */
export interface TensorTransform {
  /** Type of the stored tensor, and its shape. */
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly steps: readonly TensorStep[];
}

/** A stored tensor that a weight holds, and how. */
export interface TensorSource {
  /** The source's name of the stored tensor. */
  readonly name: string;
  readonly transform: TensorTransform;
}

/**
 * The way back: from a tensor of the target to the stored tensor, with a `place` for each cut, as
 * the rest stands in other tensors. Or the step that cannot be gone back, and why.
 */
export type InvertedTransform =
  | { readonly kind: 'exact'; readonly transform: TensorTransform }
  | { readonly kind: 'none'; readonly step: TensorStep; readonly reason: string };

type Join = WeightContent & { readonly kind: 'concat' };

/** The parts of a join with their first places along its axis, as far as a range has them. */
function partsWithin(
  { parts, axis }: Join,
  start: number,
  size: number,
): readonly (readonly [part: Weight, start: number])[] {
  let from = -start;
  return parts.flatMap((part) => {
    const at = from;
    from += part.shape[axis]!;
    const [first, end] = [Math.max(at, 0), Math.min(from, size)];
    return first < end ? [[part.slice(axis, first - at, end - first), first] as const] : [];
  });
}

/** Where along each axis of a tensor the elements of a stored one stand, and how many. */
type Box = readonly { readonly start: number; readonly size: number }[];

const withoutOnes = (shape: readonly number[]) => shape.filter((size) => size !== 1);

/**
 * Whether the cuts of a transform leave some of the stored elements. After a reshape of a part of a
 * tensor they are taken to, unless it only adds or drops axes of size 1.
 */
function leavesSome({ shape, steps }: TensorTransform): boolean {
  const whole = (sizes: readonly number[]): Box => sizes.map((size) => ({ start: 0, size }));
  let box = whole(shape);
  let sizes = shape;
  for (const step of steps) {
    const type = typeAfter(step, { dtype: 'float32', shape: sizes });
    if (step.kind === 'transpose') box = step.perm.map((p) => box[p]!);
    else if (step.kind === 'computed') box = whole(type.shape);
    else if (step.kind === 'reshape') {
      const isWhole = box.every(({ size }, axis) => size === sizes[axis]);
      const kept = box.filter((_, axis) => sizes[axis] !== 1);
      const isSame = withoutOnes(sizes).join() === withoutOnes(type.shape).join();
      if (!isWhole && !isSame) return true;
      const ranges = kept.values();
      box = whole(type.shape).map((range) =>
        isWhole || range.size === 1 ? range : ranges.next().value!,
      );
    } else if (step.kind === 'slice' || step.kind === 'place' || step.kind === 'reverse') {
      let { start, size } = box[step.axis]!;
      if (step.kind === 'place') start += step.start;
      else if (step.kind === 'reverse') start = sizes[step.axis]! - start - size;
      else {
        const end = Math.min(start + size - step.start, step.size);
        start = Math.max(start - step.start, 0);
        size = end - start;
      }
      if (size <= 0) return false;
      box = box.with(step.axis, { start, size });
    }
    sizes = type.shape;
  }
  return true;
}

/**
 * The stored tensors that a weight holds, each with its transform: those of a join with their
 * places, those of what was computed by the operator alone. Tensors that a program made have no
 * name and are not among them.
 */
export function sourcesOf(weight: Weight): readonly TensorSource[] {
  const { content, dtype, shape } = weight;
  const after = (of: Weight, step: TensorStep) => {
    const sources = sourcesOf(of).map(({ name, transform }) => ({
      name,
      transform: { ...transform, steps: [...transform.steps, step] },
    }));
    return step.kind === 'slice' ? sources.filter((each) => leavesSome(each.transform)) : sources;
  };
  const placed = (join: Join, { start, size }: { readonly start: number; readonly size: number }) =>
    partsWithin(join, start, size).flatMap(([part, at]) =>
      part.shape[join.axis] === size
        ? sourcesOf(part)
        : after(part, { kind: 'place', axis: join.axis, start: at, size }),
    );
  switch (content.kind) {
    case 'stored':
      return content.name === undefined
        ? []
        : [{ name: content.name, transform: { dtype, shape, steps: [] } }];
    case 'step': {
      const { of, step } = content;
      return step.kind === 'slice' && of.content.kind === 'concat' && of.content.axis === step.axis
        ? placed(of.content, step)
        : after(of, step);
    }
    case 'computed':
      return computedFrom(weight, content.op);
    case 'merged':
      return content.parts.flatMap(sourcesOf);
    case 'concat':
      return placed(content, { start: 0, size: shape[content.axis]! });
  }
}

function computedFrom(weight: Weight, op: string): readonly TensorSource[] {
  const { dtype, shape } = weight;
  const stored = [...new Map(weight.origins.map((each) => [each.name!, each]))];
  const step = { kind: 'computed', op, from: stored.map(([name]) => name), dtype, shape } as const;
  return stored.map(([name, of]) => ({
    name,
    transform: { dtype: of.dtype, shape: of.shape, steps: [step] },
  }));
}

/** Type and shape after a step. */
function typeAfter(step: TensorStep, { dtype, shape }: Pick<Weight, 'dtype' | 'shape'>) {
  switch (step.kind) {
    case 'transpose':
      return { dtype, shape: step.perm.map((p) => shape[p]!) };
    case 'reshape':
      return { dtype, shape: step.shape };
    case 'slice':
    case 'place':
      return { dtype, shape: shape.with(step.axis, step.size) };
    case 'reverse':
      return { dtype, shape };
    case 'cast':
    case 'affine':
      return { dtype: step.dtype, shape };
    case 'computed':
      return { dtype: step.dtype, shape: step.shape };
  }
}

/** The step back from what a step makes of a type; text where there is none. */
function stepBack(step: TensorStep, { dtype, shape }: Pick<Weight, 'dtype' | 'shape'>) {
  switch (step.kind) {
    case 'transpose':
      return { kind: 'transpose', perm: step.perm.map((_, i) => step.perm.indexOf(i)) } as const;
    case 'reshape':
      return { kind: 'reshape', shape } as const;
    case 'reverse':
      return step;
    case 'slice':
      return { ...step, kind: 'place', size: shape[step.axis]! } as const;
    case 'place':
      return { ...step, kind: 'slice', size: shape[step.axis]! } as const;
    case 'cast':
      return holdsEvery(step.dtype, dtype)
        ? ({ kind: 'cast', dtype } as const)
        : `${step.dtype} does not hold every ${dtype}`;
    case 'affine':
      return `codes of ${dtype} stand for the elements, which others than these would be rounded to`;
    case 'computed':
      return `${step.op} computed it from ${step.from.join(', ')}`;
  }
}

/**
 * Turns a transform round, where every step can be gone back without loss. A type that holds every
 * value of another need not hold the payloads of its NaNs.
 */
export function invertTransform({ dtype, shape, steps }: TensorTransform): InvertedTransform {
  const back: TensorStep[] = [];
  let type: Pick<Weight, 'dtype' | 'shape'> = { dtype, shape };
  for (const step of steps) {
    const inverse = stepBack(step, type);
    if (typeof inverse === 'string') return { kind: 'none', step, reason: inverse };
    back.unshift(inverse);
    type = typeAfter(step, type);
  }
  return { kind: 'exact', transform: { ...type, steps: back } };
}
