import {
  isStatic,
  ops,
  sameDim,
  sizeOf,
  subDim,
  toNumbers,
  type Dim,
  type Shape,
  type Value,
} from '@drover/core';
import { gap, type Gap } from '@drover/core/format';
import { heldType, type GraphWriter, type Operand, type Ref } from './graph-writer.js';
import { broadcast, reshape } from './reshape.js';
import type { SourceNode } from './source-node.js';

/** MXNet keeps the coordinates of an element in the first dimension, core in the last. */
export function coordinatesLast(node: SourceNode, indices: Value): Value {
  if (indices.rank === undefined) throw node.unsupported('the rank of its indices is not known');
  const perm = [...Array.from({ length: indices.rank - 1 }, (_, i) => i + 1), 0];
  return node.graph.add(ops.Transpose, { x: indices }, { perm }, node.step('coordinates')).y;
}

/** All coordinates of a shape along one axis, in C order. */
export function coordinates(shape: readonly number[], axis: number): readonly number[] {
  const inner = sizeOf(shape.slice(axis + 1));
  return Array.from({ length: sizeOf(shape) }, (_, i) => Math.floor(i / inner) % shape[axis]!);
}

/** The value of a constant index list as plain numbers. */
export function constantIndices(value: Value): Float64Array | undefined {
  const elements = value.constant?.peek();
  return elements && toNumbers(elements);
}

/** What was brought into 0 to size - 1 before, and how: MXNet's lookups do that themselves. */
export function unbounded(
  value: Value,
  size: Dim,
): { readonly indices: Value; readonly mode: 'clip' | 'wrap' } | undefined {
  const { producer } = value;
  if (producer?.op.name === 'Clip') {
    const { min, max } = producer.attrs as {
      readonly min: number | null;
      readonly max: number | null;
    };
    return min === 0 && typeof size === 'number' && max === size - 1
      ? { indices: producer.inputs[0]!, mode: 'clip' }
      : undefined;
  }
  const [first, second] = producer?.inputs ?? [];
  const isElement = (each: Value | undefined, dim: Dim) =>
    each?.elements?.length === 1 && sameDim(each.elements[0]!, dim);
  if (producer?.op.name === 'Mod') {
    const { sign } = producer.attrs as { readonly sign: string };
    return sign === 'divisor' && isElement(second, size)
      ? { indices: first!, mode: 'wrap' }
      : undefined;
  }
  const least =
    producer?.op.name === 'Min' && isElement(second, subDim(size, 1)) ? first?.producer : undefined;
  return least?.op.name === 'Max' && isElement(least.inputs[1], 0)
    ? { indices: least.inputs[0]!, mode: 'clip' }
    : undefined;
}

/**
 * Indices without negative ones; those that depend on data are wrapped round by the operator
 * instead.
 */
export function settled(
  writer: GraphWriter,
  indices: Value,
  size: Dim,
): { indices: Operand; mode: 'clip' | 'wrap' } {
  const known = constantIndices(indices);
  if (!known) return unbounded(indices, size) ?? { indices, mode: 'wrap' };
  if (known.every((index) => index >= 0)) return { indices, mode: 'clip' };
  if (typeof size !== 'number') return { indices, mode: 'wrap' };
  const shape = indices.constant!.shape;
  return {
    indices: writer.literal(
      'int64',
      shape.length === 0 ? [1] : shape,
      Array.from(known, (index) => (index < 0 ? index + size : index)),
    ),
    mode: 'clip',
  };
}

/**
 * Coordinates of elements, first dimension first: constants for the axes in `fixed`, and `indices`
 * along the other one.
 */
export function grid(
  writer: GraphWriter,
  indices: Value,
  shape: readonly number[],
  axis: number,
  size: number,
): Ref {
  const row = (each: Operand) => reshape(writer, each, shape, [1, ...shape])!;
  const parts = shape.map((_, at) => {
    if (at !== axis) return writer.literal('int64', [1, ...shape], coordinates(shape, at));
    const known = unbounded(indices, size)
      ? { indices, mode: 'clip' }
      : settled(writer, indices, size);
    const wrapped =
      known.mode === 'wrap'
        ? writer.step('_mod_scalar', [indices], { scalar: size })
        : known.indices;
    return row(
      known.mode === 'wrap' || known.indices === indices
        ? writer.cast(wrapped, indices.dtype, 'int64')
        : wrapped,
    );
  });
  return parts.length === 1
    ? parts[0]!
    : writer.step('Concat', parts, { num_args: parts.length, dim: 0 });
}

/**
 * Coordinates lie in the last dimension in core, in the first in MXNet; leading batch coordinates
 * are written out.
 */
export function coordinatesFirst(
  writer: GraphWriter,
  indices: Value,
  batchDims: number,
): Ref | Gap {
  const { shape } = indices;
  if (!shape) return gap('the rank of its indices is not known');
  const rank = shape.length;
  const perm = [rank - 1, ...Array.from({ length: rank - 1 }, (_, i) => i)];
  const first =
    rank === 1 ? writer.ref(indices) : writer.step('transpose', [indices], { axes: perm });
  if (batchDims === 0) return first;
  const places: Shape = shape.slice(0, -1);
  const parts: Ref[] = [];
  for (let axis = 0; axis < batchDims; axis++) {
    const part = batchCoordinates(writer, places, axis);
    if (!part) return gap('the shape of its indices is not known before the model runs');
    parts.push(part);
  }
  const own = writer.cast(first, indices.dtype, 'int64');
  return writer.step('Concat', [...parts, own], { num_args: batchDims + 1, dim: 0 });
}

/**
 * The coordinates of a shape along one axis, [1, ...shape]: stored where the shape is known, else
 * counted along what has it.
 */
function batchCoordinates(writer: GraphWriter, shape: Shape, axis: number): Ref | undefined {
  if (isStatic(shape)) return writer.literal('int64', [1, ...shape], coordinates(shape, axis));
  const size = shape[axis]!;
  const place = writer.sizeSource(size);
  if (typeof size !== 'number' && !place) return undefined;
  const row: Operand =
    typeof size === 'number'
      ? writer.literal('int64', [size], coordinates([size], 0))
      : writer.cast(
          writer.step('_contrib_arange_like', [place!.value], { axis: place!.axis }),
          heldType(place!.value.dtype),
          'int64',
        );
  const column = reshape(writer, row, [size], [1, ...shape.map((_, i) => (i === axis ? size : 1))]);
  return (
    column &&
    broadcast(writer, column, [1, ...shape.map((_, i) => (i === axis ? size : 1))], [1, ...shape])
  );
}
