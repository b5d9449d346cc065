import type { Value } from '../../graph/value.js';
import { add } from '../../ops/add.js';
import { matMul } from '../../ops/mat-mul.js';
import { slice } from '../../ops/slice.js';
import { split } from '../../ops/split.js';
import type { Weight } from '../../tensor/weight.js';

/**
 * A value [batch, size] as a sum: products of values with constant matrices, constants [size], and
 * what is neither.
 */
export interface AffineForm {
  readonly products: readonly { readonly of: Value; readonly matrix: Weight }[];
  readonly constants: readonly Weight[];
  readonly rest: readonly Value[];
}

/** The columns `start` to `start + size` of a sum; undefined when a part of it cannot be cut. */
export function columns(form: AffineForm, start: number, size: number): AffineForm | undefined {
  if (form.rest.length > 0) return undefined;
  return {
    products: form.products.map(({ of, matrix }) => ({ of, matrix: matrix.slice(1, start, size) })),
    constants: form.constants.map((weight) => weight.slice(0, start, size)),
    rest: [],
  };
}

function join(a: AffineForm, b: AffineForm): AffineForm {
  return {
    products: [...a.products, ...b.products],
    constants: [...a.constants, ...b.constants],
    rest: [...a.rest, ...b.rest],
  };
}

/** A constant as a row of `size` elements: one that broadcasts along other axes only. */
export function row(weight: Weight | undefined, size: number): Weight | undefined {
  const { shape } = weight ?? {};
  return shape && shape.at(-1) === size && shape.slice(0, -1).every((dim) => dim === 1)
    ? weight!.reshape([size])
    : undefined;
}

/** The value whose columns from `start` on a Split gives as one of its results. */
export function splitPart(
  value: Value,
): { readonly of: Value; readonly start: number } | undefined {
  const node = value.producer;
  if (!node?.is(split) || node.attrs.axis !== 1) return undefined;
  const before = node.attrs.sizes
    .slice(0, node.outputs.indexOf(value))
    .filter((size) => typeof size === 'number');
  const isKnown = before.length === node.outputs.indexOf(value);
  return isKnown
    ? { of: node.operands.x, start: before.reduce((sum, size) => sum + size, 0) }
    : undefined;
}

/** What a value of two dimensions is a sum of, by the nodes that make it. */
export function affineForm(value: Value): AffineForm {
  const opaque: AffineForm = { products: [], constants: [], rest: [value] };
  const { producer: node, shape } = value;
  const size = shape?.at(-1);
  if (!node || shape?.length !== 2 || typeof size !== 'number') return opaque;
  if (node.is(add)) {
    const { a, b } = node.operands;
    const parts = [a, b].map((part) => {
      const constant = row(part.constant, size);
      return constant
        ? { products: [], constants: [constant], rest: [] }
        : part.shape?.length === 2 && part.shape[1] === size
          ? affineForm(part)
          : undefined;
    });
    return parts[0] && parts[1] ? join(parts[0], parts[1]) : opaque;
  }
  if (node.is(matMul)) {
    const { a, b } = node.operands;
    return b.constant && b.rank === 2 && a.rank === 2
      ? { products: [{ of: a, matrix: b.constant }], constants: [], rest: [] }
      : opaque;
  }
  const part = splitPart(value);
  if (part) return columns(affineForm(part.of), part.start, size) ?? opaque;
  if (node.is(slice) && node.attrs.axes.join() === '1' && node.attrs.steps[0] === 1) {
    const start = node.attrs.starts?.[0];
    const width = node.operands.x.shape?.[1];
    if (typeof start !== 'number' || typeof width !== 'number') return opaque;
    const from = start < 0 ? start + width : start;
    return from >= 0 && from + size <= width
      ? (columns(affineForm(node.operands.x), from, size) ?? opaque)
      : opaque;
  }
  return opaque;
}
