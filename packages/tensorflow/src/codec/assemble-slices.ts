import { Weight, type ByteHandle, type DType } from '@drover/core';

/** A slice of a tensor: where it begins along each axis, how long it is, and its elements. */
export interface PlacedSlice {
  readonly start: readonly number[];
  readonly shape: readonly number[];
  readonly bytes: ByteHandle;
}

/**
 * The elements of a tensor that slices make up, in C order; undefined where they do not: where they
 * overlap, leave a gap or lie outside, and where they are no grid, whose cuts along an axis go
 * through all that the axes before it have left together. Partitioners of TensorFlow cut one axis.
 * Slices one after the other along the outermost axis stay where they are; otherwise reading takes
 * the tensor into memory. Throws `core/limit` for more than 16,384 of them.
 */
export function assembleSlices(
  dtype: DType,
  shape: readonly number[],
  slices: readonly PlacedSlice[],
): ByteHandle | undefined {
  return joined(dtype, shape, slices, 0)?.handle;
}

function joined(
  dtype: DType,
  shape: readonly number[],
  slices: readonly PlacedSlice[],
  axis: number,
): Weight | undefined {
  if (axis === shape.length) {
    const [only, ...more] = slices;
    return only && more.length === 0
      ? Weight.stored(dtype, only.shape, undefined, only.bytes)
      : undefined;
  }
  const parts: Weight[] = [];
  let end = 0;
  for (const group of grouped(slices, axis)) {
    const { start, shape: size } = group[0]!;
    const isCut = group.every((each) => each.shape[axis] === size[axis]);
    const part = isCut && start[axis] === end ? joined(dtype, shape, group, axis + 1) : undefined;
    if (!part) return undefined;
    end += size[axis]!;
    parts.push(part);
  }
  return end === shape[axis] && parts.length > 0 ? Weight.concat(parts, axis) : undefined;
}

/** Slices that begin at one place of an axis, in the order of these places. */
function grouped(slices: readonly PlacedSlice[], axis: number): readonly PlacedSlice[][] {
  const groups = new Map<number, PlacedSlice[]>();
  for (const slice of slices) {
    const start = slice.start[axis]!;
    const group = groups.get(start);
    if (group) group.push(slice);
    else groups.set(start, [slice]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}
