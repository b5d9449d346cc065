import { toNumbers, type Tensor } from '../tensor/tensor.js';
import { wrapInteger } from './wrap-integer.js';

/**
 * Sets each element of y to a function of the element of x there. Each operator has a loop of its
 * own: of a loop that all share V8 makes code for no function in particular, which takes five times
 * as long.
 */
export type UnaryLoop = (y: Float64Array, x: Float64Array) => void;

/** The float tensor that a loop makes of another. */
export function mapFloat(x: Tensor, loop: UnaryLoop): Tensor {
  const from = toNumbers(x);
  const data = new Float64Array(from.length);
  loop(data, from);
  return { dtype: x.dtype, shape: x.shape, data };
}

/** The tensor that a loop makes of another, or `g` of each 64-bit integer. Integers wrap. */
export function mapNumber(x: Tensor, loop: UnaryLoop, g: (x: bigint) => bigint): Tensor {
  if (x.data instanceof BigInt64Array || x.data instanceof BigUint64Array)
    return { ...x, data: x.data.map(g) };
  return wrapInteger(mapFloat(x, loop));
}

/** The bool tensor that a loop makes of a float tensor. */
export function testFloat(x: Tensor, loop: (y: Uint8Array, x: Float64Array) => void): Tensor {
  const from = toNumbers(x);
  const data = new Uint8Array(from.length);
  loop(data, from);
  return { dtype: 'bool', shape: x.shape, data };
}
