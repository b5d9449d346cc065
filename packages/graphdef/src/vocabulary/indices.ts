import { productOf, toNumbers, type Dim, type Shape, type Value } from '@drover/core';
import { int } from './attribute.js';
import type { GraphWriter, Operand, Ref } from './graph-writer.js';

/** Indices from the start: TF.js refuses those that count from the end, or reads zeros for them. */
export function fromStart(writer: GraphWriter, indices: Value, size: Dim | undefined): Operand {
  if (writer.isNeverNegative(indices)) return writer.cast(indices, 'int32');
  if (size === undefined)
    throw writer.unwritable('the size that its indices count from is not known');
  const elements = indices.constant?.peek();
  if (elements && typeof size === 'number') {
    const settled = Array.from(toNumbers(elements), (index) => (index < 0 ? index + size : index));
    return writer.literal('int32', elements.shape, settled);
  }
  const given = writer.cast(indices, 'int32');
  const isNegative = writer.step('Less', [given, writer.int(0)], {}, 'bool');
  const counted = writer.step('AddV2', [given, writer.size(size)]);
  return writer.step('SelectV2', [isNegative, counted, given], {}, 'int32');
}

/** 0 … size-1 along one axis of a rank, times a factor. */
export function coordinates(
  writer: GraphWriter,
  size: Dim,
  axis: number,
  rank: number,
  factor: Ref,
): Ref {
  const range = writer.step('Range', [writer.int(0), writer.size(size), writer.int(1)]);
  const shaped = writer.step('Reshape', [
    range,
    writer.ints(Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1))),
  ]);
  return writer.step('Mul', [shaped, factor]);
}

/**
 * Places of single elements in the flat tensor: the index along one axis, the position along the
 * others.
 */
export function flatPlaces(writer: GraphWriter, indices: Value, axis: number, shape: Shape): Ref {
  const rank = shape.length;
  const step = (i: number) => writer.size(productOf(shape.slice(i + 1)));
  let places = writer.step('Mul', [fromStart(writer, indices, shape[axis]), step(axis)]);
  for (let i = 0; i < rank; i++) {
    if (i !== axis)
      places = writer.step('AddV2', [
        places,
        coordinates(writer, indices.shape![i]!, i, rank, step(i)),
      ]);
  }
  return places;
}

/** The attributes of GatherV2 whose indices stand for the whole operand. */
export const noBatches = { batch_dims: int(0) };

/**
 * Coordinates from the start: those of the dimensions behind the batch dimensions, as many at once
 * as the last dimension of the indices has.
 */
export function coordinatesFromStart(
  writer: GraphWriter,
  indices: Value,
  shape: Shape | undefined,
  batchDims = 0,
): Ref {
  const given = writer.cast(indices, 'int32');
  if (writer.isNeverNegative(indices)) return given;
  const depth = indices.shape?.at(-1);
  if (typeof depth !== 'number' || !shape)
    throw writer.unwritable('how many coordinates its indices have is not known');
  const counted = writer.step('AddV2', [
    given,
    writer.dims(shape.slice(batchDims, batchDims + depth)),
  ]);
  return writer.step(
    'SelectV2',
    [writer.step('Less', [given, writer.int(0)], {}, 'bool'), counted, given],
    {},
    'int32',
  );
}
