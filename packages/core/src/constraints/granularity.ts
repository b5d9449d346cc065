import type { ValueType } from '../tensor/value-type.js';
import type { Granularity } from '../typing/granularity.js';

interface Types {
  readonly x: ValueType;
  readonly scale: ValueType;
  readonly zeroPoint: ValueType | undefined;
}

const known = (dim: unknown): dim is number => typeof dim === 'number';

/**
 * Whether the scale has the shape that the granularity asks for, as far as is known: a scalar or
 * one element, one per index of the axis, or one per block.
 */
function scaleFits({ x, scale }: Types, { axis, blockSize }: Granularity): boolean {
  if (!scale.shape) return true;
  if (axis === null) return scale.shape.every((dim) => !known(dim) || dim === 1);
  if (!x.shape) return true;
  if (blockSize === 0)
    return (
      scale.shape.length === 1 &&
      (!known(scale.shape[0]) || !known(x.shape[axis]) || scale.shape[0] === x.shape[axis])
    );
  return (
    scale.shape.length === x.shape.length &&
    scale.shape.every((dim, i) => {
      const size = x.shape![i];
      return (
        !known(dim) || !known(size) || dim === (i === axis ? Math.ceil(size / blockSize) : size)
      );
    })
  );
}

/** The constraints that quantisation and its inverse share. */
export const granularityConstraints = {
  C1: {
    says: '0 <= axis < rank(x), or null',
    holds: ({ x }: Types, { axis }: Granularity) =>
      axis === null || (axis >= 0 && (!x.shape || axis < x.shape.length)),
  },
  C2: {
    says: 'blockSize >= 0, and 0 where there is no axis',
    holds: (_: Types, { axis, blockSize }: Granularity) =>
      blockSize >= 0 && (axis !== null || blockSize === 0),
  },
  C3: {
    says: 'scale has one element, one per index of the axis, or one per block',
    holds: (types: Types, granularity: Granularity) => scaleFits(types, granularity),
  },
  C4: {
    says: 'zeroPoint has the shape of scale',
    holds: ({ scale, zeroPoint }: Types) =>
      !scale.shape ||
      !zeroPoint?.shape ||
      (scale.shape.length === zeroPoint.shape.length &&
        scale.shape.every(
          (dim, i) => !known(dim) || !known(zeroPoint.shape![i]) || dim === zeroPoint.shape![i],
        )),
  },
} as const;
