import type { Value } from '@drover/core';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';

/** Filters O, I / groups, k… of known sizes, constant or not. */
export interface Filters {
  readonly value: Operand;
  readonly shape: readonly number[];
}

const constantOf = (value: Operand): Value | undefined =>
  'constant' in value && value.constant ? value : undefined;

/** Filters under another shape; constants only get another handle. */
export function reshaped(
  writer: GraphWriter,
  { value }: Filters,
  shape: readonly number[],
): Filters {
  const constant = constantOf(value);
  if (!constant) return { value: writer.reshape(value, shape), shape };
  return {
    value: writer.graph.constant(constant.constant!.reshape(shape), constant.name, constant.origin),
    shape,
  };
}

/** Filters in another order of dimensions; constants only get another handle. */
export function transposed(
  writer: GraphWriter,
  { value, shape }: Filters,
  perm: readonly number[],
): Filters {
  const moved = perm.map((axis) => shape[axis]!);
  const constant = constantOf(value);
  if (!constant)
    return { value: writer.step('Transpose', [value, writer.ints(perm)]), shape: moved };
  return {
    value: writer.graph.constant(
      constant.constant!.transpose(perm),
      constant.name,
      constant.origin,
    ),
    shape: moved,
  };
}

/** The filters of each group. */
export function inGroups(
  writer: GraphWriter,
  { value, shape }: Filters,
  groups: number,
): readonly Filters[] {
  const size = shape[0]! / groups;
  const part = [size, ...shape.slice(1)];
  const constant = constantOf(value);
  if (!constant)
    return parts(writer, value, 0, groups).map((each) => ({ value: each, shape: part }));
  return Array.from({ length: groups }, (_, i) => ({
    value: writer.graph.constant(
      constant.constant!.slice(0, i * size, size),
      `${constant.name}/${i}`,
      constant.origin,
    ),
    shape: part,
  }));
}

/** Filters with zeros between their taps, which is what dilation is. */
export function spread(writer: GraphWriter, w: Filters, dilations: readonly number[]): Filters {
  return dilations.reduce((filters, dilation, i) => {
    if (dilation === 1) return filters;
    const axis = i + 2;
    const { shape } = filters;
    const rows = writer.reshape(filters.value, shape.toSpliced(axis + 1, 0, 1));
    const amounts = Array.from({ length: shape.length + 1 }, (_, k) => [
      0,
      k === axis + 1 ? dilation - 1 : 0,
    ]);
    const padded = writer.step('PadV2', [
      rows,
      writer.literal('int32', [amounts.length, 2], amounts.flat()),
      writer.scalar(rows, 0),
    ]);
    const long = writer.reshape(padded, shape.with(axis, shape[axis]! * dilation));
    const reach = shape.with(axis, (shape[axis]! - 1) * dilation + 1);
    return {
      value: writer.step('Slice', [long, writer.ints(shape.map(() => 0)), writer.ints(reach)]),
      shape: reach,
    };
  }, w);
}

/** Equal parts of a value along an axis. */
export function parts(
  writer: GraphWriter,
  x: Operand,
  axis: number,
  count: number,
): readonly Ref[] {
  return writer.steps(
    'Split',
    [writer.int(axis), x],
    { num_split: { kind: 'i', value: count } },
    new Array(count).fill(writer.dtype(x)),
  );
}
