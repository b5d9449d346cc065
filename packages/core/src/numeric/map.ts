import { toNumbers, type Tensor } from '../tensor/tensor.js';
import { wrapInteger } from './wrap-integer.js';

/** The tensor of `f` of each element of a float tensor. */
export function mapFloat(x: Tensor, f: (x: number) => number): Tensor {
  return { dtype: x.dtype, shape: x.shape, data: toNumbers(x).map(f) };
}

/** The tensor of `f` of each element, or `g` of each 64-bit integer. Integers wrap. */
export function mapNumber(x: Tensor, f: (x: number) => number, g: (x: bigint) => bigint): Tensor {
  if (x.data instanceof BigInt64Array || x.data instanceof BigUint64Array)
    return { ...x, data: x.data.map(g) };
  return wrapInteger({ ...x, data: (x.data as Float64Array).map(f) });
}

/** The bool tensor of a predicate of each element of a float tensor. */
export function testFloat(x: Tensor, predicate: (x: number) => boolean): Tensor {
  return {
    dtype: 'bool',
    shape: x.shape,
    data: Uint8Array.from(toNumbers(x), (value) => (predicate(value) ? 1 : 0)),
  };
}
