import { isStatic, sameDim, type Dim, type DType, type Shape } from '@drover/core';
import { bounds } from '@drover/core/format';
import { heldShape, type GraphWriter, type Operand, type Ref } from './graph-writer.js';
import { reshapeSteps } from './reshape-codes.js';

/**
 * Elements of one shape in another, both as MXNet holds them; undefined when the sizes cannot be
 * said.
 */
export function reshape(
  writer: GraphWriter,
  operand: Operand,
  from: Shape,
  to: Shape,
): Ref | undefined {
  const [source, target] = [heldShape(from), heldShape(to)];
  if (source.length === target.length && source.every((dim, i) => sameDim(dim, target[i]!)))
    return writer.ref(operand);
  const whole = withSizes(writer, operand, source, target);
  if (whole) return whole;
  // Without its ones the target may follow the source; they are put in afterwards.
  const core = target.filter((dim) => dim !== 1);
  let ref =
    core.length < target.length && core.length > 0
      ? withSizes(writer, operand, source, core)
      : undefined;
  if (!ref) return undefined;
  target.forEach((dim, axis) => dim === 1 && (ref = writer.step('expand_dims', [ref!], { axis })));
  return ref;
}

/**
 * By codes, else with the sizes that the target has between those it keeps taken from a value
 * written before that has them side by side.
 */
function withSizes(
  writer: GraphWriter,
  operand: Operand,
  source: Shape,
  target: Shape,
): Ref | undefined {
  const steps = reshapeSteps(source, target);
  if (steps)
    return steps.reduce<Ref>(
      (ref, shape) => writer.step('Reshape', [ref], { shape }),
      writer.ref(operand),
    );
  const most = Math.min(source.length, target.length);
  let [kept, tail] = [0, 0];
  while (kept < most && sameDim(source[kept]!, target[kept]!)) kept++;
  while (tail < most - kept && sameDim(source.at(-1 - tail)!, target.at(-1 - tail)!)) tail++;
  const wanted = target.slice(kept, target.length - tail);
  if (wanted.length === 0 || kept + tail === source.length) return undefined;
  for (const like of writer.shaped()) {
    const shape = like.shape!;
    const at = shape.findIndex((_, i) =>
      wanted.every((dim, j) => i + j < shape.length && sameDim(dim, shape[i + j]!)),
    );
    if (at < 0) continue;
    const [lhs_begin, lhs_end, rhs_begin, rhs_end] = [
      kept,
      source.length - tail,
      at,
      at + wanted.length,
    ];
    return writer.step('reshape_like', [operand, like], { lhs_begin, lhs_end, rhs_begin, rhs_end });
  }
  return undefined;
}

/**
 * Copies along dimensions of 1 so that the shape becomes `to`; `from` may have fewer dimensions.
 * undefined when the sizes cannot be said.
 */
export function broadcast(
  writer: GraphWriter,
  operand: Operand,
  from: Shape,
  to: Shape,
): Ref | undefined {
  const target = heldShape(to);
  const source: Shape = [
    ...new Array<Dim>(target.length - heldShape(from).length).fill(1),
    ...heldShape(from),
  ];
  let ref = reshape(writer, operand, from, source);
  if (!ref) return undefined;
  // What cannot be 1 is what it is broadcast to, under another name.
  const changed = target.flatMap((dim, axis) =>
    sameDim(dim, source[axis]!) || bounds(source[axis]!)[0] > 1 ? [] : [axis],
  );
  const known = changed.filter((axis) => typeof target[axis] === 'number');
  if (known.length > 0)
    ref = writer.step('broadcast_axis', [ref], {
      axis: known,
      size: known.map((axis) => target[axis] as number),
    });
  for (const axis of changed) {
    if (known.includes(axis)) continue;
    const place = writer.sizeSource(target[axis]!);
    if (!place) return undefined;
    ref = writer.step('broadcast_like', [ref, place.value], {
      lhs_axes: [axis],
      rhs_axes: [place.axis],
    });
  }
  return ref;
}

/** Zeros of a shape; undefined when its sizes cannot be said. */
export function zeros(writer: GraphWriter, shape: Shape, dtype: DType): Ref | undefined {
  if (isStatic(shape))
    return writer.step('_zeros', [], { shape: heldShape(shape) as readonly number[], dtype });
  return broadcast(
    writer,
    writer.step('_zeros', [], { shape: shape.map(() => 1), dtype }),
    shape.map(() => 1),
    shape,
  );
}
