import { bitsOf } from '../tensor/dtype.js';
import type { Groups } from '../tensor/groups.js';
import { allocate, toNumbers, type Tensor } from '../tensor/tensor.js';

/** A reduction over numbers: the result for the elements `first + member` of a tensor. */
export type NumberReduction = (x: Float64Array, first: number, members: Int32Array) => number;

/**
 * A reduction over integers, exactly; `lowest` and `highest` are the bounds of the element type.
 */
export type IntegerReduction = (
  group: readonly bigint[],
  lowest: bigint,
  highest: bigint,
) => bigint;

/** The result of each group of elements of a float or bool tensor. */
export function reduceNumbers(
  x: Tensor,
  { firsts, members }: Groups,
  f: NumberReduction,
): Tensor['data'] {
  const from = toNumbers(x);
  const data = x.dtype === 'bool' ? new Uint8Array(firsts.length) : new Float64Array(firsts.length);
  for (let i = 0; i < firsts.length; i++) data[i] = f(from, firsts[i]!, members);
  return data;
}

/** The result of each group of elements of an integer tensor; what does not fit its type wraps. */
export function reduceIntegers(
  x: Tensor,
  { firsts, members }: Groups,
  g: IntegerReduction,
): Tensor['data'] {
  const width = bitsOf(x.dtype);
  const isSigned = x.dtype.startsWith('int');
  const [lowest, highest] = isSigned
    ? [-(1n << BigInt(width - 1)), (1n << BigInt(width - 1)) - 1n]
    : [0n, (1n << BigInt(width)) - 1n];
  const data = allocate(x.dtype, firsts.length);
  const group = new Array<bigint>(members.length);
  for (let i = 0; i < firsts.length; i++) {
    for (let k = 0; k < members.length; k++) group[k] = BigInt(x.data[firsts[i]! + members[k]!]!);
    const value = g(group, lowest, highest);
    const wrapped = isSigned ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
    if (data instanceof Float64Array) data[i] = Number(wrapped);
    else (data as BigInt64Array)[i] = wrapped;
  }
  return data;
}
