import {
  type ByteHandle,
  coreDiagnostics,
  sizeOf,
  Weight,
  type DType,
  type DroverError,
} from '@drover/core';
import { bigEndian } from '@drover/core/format';
import { pytorchDiagnostics } from '../diagnostics.js';
import { flipped, strided } from './element-encodings.js';
import type { TorchType } from './torch-types.js';

/** A tensor as PyTorch has it: a view of a storage. Offset and strides count elements. */
export interface TensorView {
  readonly type: TorchType;
  /** Tells its storage from the others of the file. */
  readonly storage: string;
  readonly bytes: ByteHandle;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** The most significant byte of an element, or of each half of a complex one, comes first. */
  readonly isBigEndian: boolean;
  /** The elements stand for their conjugates. */
  readonly isConjugate?: boolean;
  /** The elements stand for their negatives. */
  readonly isNegative?: boolean;
}

const maxRank = 64;
/** Bytes that a view may repeat a smaller storage to. */
const maxRepeatedBytes = 2 ** 30;

/** Tells views apart: two of one place are one tensor under two names. */
export function placeOf(view: TensorView): string {
  const { type, storage, offset, shape, strides, isConjugate, isNegative } = view;
  return JSON.stringify([type.name, storage, offset, shape, strides, isConjugate, isNegative]);
}

function wrong(view: TensorView, name: string, why: string): DroverError {
  return pytorchDiagnostics.error('tensor', {
    message: `${JSON.stringify(name)} ${why}.`,
    origin: { ...view.bytes.origin, node: name },
  });
}

/** Elements from the first to the last one, both counted; 0 for none. */
const extentOf = ({ shape, strides }: TensorView) =>
  sizeOf(shape) === 0 ? 0 : shape.reduce((sum, dim, i) => sum + (dim - 1) * strides[i]!, 1);

/**
 * The elements of a view, read when they are asked for. A view in C order is the stored bytes
 * themselves, one whose axes are in another order a transpose of them, and any other one is
 * gathered from what it spans. Throws `pytorch/tensor` for a view that leaves its storage or cannot
 * be, and `core/limit` for one that repeats its storage to more than 1 GiB.
 */
export function viewWeight(view: TensorView, dtype: DType, name: string): Weight {
  const { type, bytes, offset, shape, strides } = view;
  const isCount = (n: number) => Number.isSafeInteger(n) && n >= 0;
  if (shape.length > maxRank || strides.length !== shape.length)
    throw wrong(view, name, `has ${shape.length} dimensions and ${strides.length} strides`);
  if (![offset, ...shape, ...strides].every(isCount))
    throw wrong(
      view,
      name,
      `has offset ${offset}, shape [${shape.join(', ')}] and strides [${strides.join(', ')}]`,
    );
  const count = sizeOf(shape);
  const extent = extentOf(view);
  const [start, span] = [offset * type.bytes, extent * type.bytes];
  if (!isCount(count * type.bytes) || !isCount(start + span) || start + span > bytes.length)
    throw wrong(
      view,
      name,
      `needs ${extent} elements from ${offset} on of a storage of ${bytes.length / type.bytes}`,
    );
  if (count > extent && count * type.bytes > maxRepeatedBytes)
    throw coreDiagnostics.error('limit', {
      message: `${JSON.stringify(name)} repeats ${span} bytes to ${count * type.bytes}.`,
      help: 'Save a clone() of the tensor as it is before it is expanded.',
      origin: { ...bytes.origin, node: name },
    });
  const wide = shape.flatMap((dim, axis) => (dim === 1 ? [] : [axis]));
  const order = wide.toSorted((a, b) => strides[b]! - strides[a]! || a - b);
  let next = 1;
  const isDense = order.toReversed().every((axis) => {
    const fits = strides[axis] === next;
    next *= shape[axis]!;
    return fits;
  });
  const stored = encoded(view, bytes.slice(count === 0 ? 0 : start, span));
  if (count === 0 || (isDense && order.every((axis, i) => axis === wide[i])))
    return Weight.stored(dtype, shape, name, signed(view, stored));
  if (isDense) {
    const inOrder = Weight.stored(
      dtype,
      order.map((axis) => shape[axis]!),
      name,
      signed(view, stored),
    );
    return inOrder.transpose(wide.map((axis) => order.indexOf(axis))).reshape(shape);
  }
  const gathered = stored.decoded(strided(type.bytes, shape, strides), count * type.bytes);
  return Weight.stored(dtype, shape, name, signed(view, gathered));
}

/** Bytes of the numbers that elements are made of. */
const unitOf = ({ type }: TensorView) =>
  type.name.startsWith('complex') ? type.bytes / 2 : type.bytes;

const encoded = (view: TensorView, bytes: ByteHandle) =>
  view.isBigEndian && unitOf(view) > 1
    ? bytes.decoded(bigEndian(unitOf(view)), bytes.length)
    : bytes;

function signed(view: TensorView, bytes: ByteHandle): ByteHandle {
  const isComplex = view.type.name.startsWith('complex');
  const real = view.isNegative ?? false;
  const imaginary = isComplex ? real !== (view.isConjugate ?? false) : real;
  if (!real && !imaginary) return bytes;
  return bytes.decoded(flipped(unitOf(view), real, imaginary), bytes.length);
}
