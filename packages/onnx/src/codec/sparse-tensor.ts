import { bitsOf, bytesOf, type DType } from '@drover/core';
import type { NumericContent, TensorContent } from './tensor-content.js';
import type { Fault } from './tensor-elements.js';

/** Where the stored values of a sparse tensor belong in the dense one. */
export interface SparseLayout {
  /**
   * Index into the dense elements of each stored value, ascending. Throws `onnx/tensor-data` for
   * indices out of range, out of order or twice.
   */
  positions(): Promise<Float64Array>;
}

/**
 * Checks the parts of a sparse tensor against one another: `values` of shape [n], `indices` int64
 * of shape [n] (linear) or [n, rank] (one index for each dimension of the dense `shape`). Errors:
 * `onnx/tensor-data`.
 */
export function sparseLayout(
  values: TensorContent,
  indices: TensorContent,
  shape: readonly number[],
  fault: Fault,
): SparseLayout {
  const count = values.shape[0] ?? 0;
  const linear = indices.shape.length === 1;
  if (values.shape.length !== 1)
    throw fault(
      'tensor-data',
      `is sparse and its values have ${values.shape.length} dimensions instead of 1`,
    );
  if (indices.dtype !== 'int64')
    throw fault('tensor-data', `is sparse and its indices are ${indices.dtype} instead of int64`);
  if (
    indices.shape[0] !== count ||
    !(linear || (indices.shape.length === 2 && indices.shape[1] === shape.length))
  ) {
    throw fault(
      'tensor-data',
      `is sparse and its indices have the shape [${indices.shape.join(', ')}]`,
    );
  }
  const { data } = indices as NumericContent;
  return {
    positions: async () => {
      const bytes = await data.read();
      return linear
        ? flatten(bytes, count, [shape.reduce((product, dim) => product * dim, 1)], fault)
        : flatten(bytes, count, shape, fault);
    },
  };
}

/** Row-major positions of `count` indices, each of as many int64 as `shape` has dimensions. */
function flatten(
  bytes: Uint8Array,
  count: number,
  shape: readonly number[],
  fault: Fault,
): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const positions = new Float64Array(count);
  let last = -1;
  for (let i = 0; i < count; i++) {
    let position = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      const index = Number(view.getBigInt64(8 * (i * shape.length + axis), true));
      if (!(index >= 0 && index < shape[axis]!))
        throw fault('tensor-data', `is sparse and index ${index} of value ${i} is out of range`);
      position = position * shape[axis]! + index;
    }
    if (position <= last)
      throw fault('tensor-data', `is sparse and its indices do not ascend at value ${i}`);
    positions[i] = last = position;
  }
  return positions;
}

/** The canonical bytes of `count` zeros, but for the given elements at the given positions. */
export function scatter(
  dtype: DType,
  count: number,
  elements: Uint8Array,
  positions: Float64Array,
): Uint8Array {
  const out = new Uint8Array(bytesOf(dtype, count));
  const bits = bitsOf(dtype);
  if (bits >= 8) {
    const width = bits / 8;
    for (const [i, at] of positions.entries())
      out.set(elements.subarray(i * width, (i + 1) * width), at * width);
    return out;
  }
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  for (const [i, at] of positions.entries()) {
    const code = (elements[Math.floor(i / perByte)]! >> ((i % perByte) * bits)) & mask;
    out[Math.floor(at / perByte)]! |= code << ((at % perByte) * bits);
  }
  return out;
}
