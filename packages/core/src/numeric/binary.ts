import type { DType } from '../tensor/dtype.js';
import { allocate, sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import { broadcastTensors, inPieces } from './broadcast.js';

/**
 * Sets each element of y to a function of the elements of a and b there (bool is 0 and 1). Each
 * operator has a loop of its own, as in `UnaryLoop`.
 */
export type BinaryLoop = (y: Float64Array | Uint8Array, a: Float64Array, b: Float64Array) => void;

/**
 * Evaluates an elementwise operator with broadcasting: a loop for numbers, `g` for 64-bit integers.
 */
export function evaluateBinary(
  a: Tensor,
  b: Tensor,
  dtype: DType,
  loop: BinaryLoop,
  g: (x: bigint, y: bigint) => bigint | number,
): Tensor {
  const shape = broadcastTensors(a, b);
  const data = allocate(dtype, sizeOf(shape));
  if (a.data instanceof BigInt64Array || a.data instanceof BigUint64Array) {
    const isBool = dtype === 'bool';
    inPieces([a, b], shape, (at, count, parts) => {
      const [x, y] = parts as readonly BigInt64Array[];
      for (let i = 0; i < count; i++) {
        const value = g(x![i]!, y![i]!);
        if (isBool) (data as Uint8Array)[at + i] = Number(value);
        else (data as BigInt64Array)[at + i] = value as bigint;
      }
    });
  } else {
    // Texts are compared as they are.
    const numbers = [a, b].map((operand) =>
      operand.dtype === 'string' ? operand : { ...operand, data: toNumbers(operand) },
    );
    inPieces(numbers, shape, (at, count, parts) => {
      const [x, y] = parts as readonly Float64Array[];
      loop((data as Float64Array).subarray(at, at + count), x!, y!);
    });
  }
  return { dtype, shape, data };
}
