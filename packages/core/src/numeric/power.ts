import { nonZero } from './integer-division.js';

/**
 * x to the power of y as IEEE 754-2019, 9.2.1 has it. ECMAScript differs in two cases: 1 to the
 * power of NaN, and ±1 to the power of ±Infinity, are NaN there.
 */
export function power(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  return Math.pow(x, y);
}

/**
 * x to the power of y modulo 2^64; a negative power is truncated towards zero. Throws
 * `core/not-evaluable` for a negative power of 0.
 */
export function integerPower(x: bigint, y: bigint): bigint {
  if (y < 0n) return nonZero(x) === 1n ? 1n : x === -1n ? (y % 2n === 0n ? 1n : -1n) : 0n;
  let result = 1n;
  for (let square = x, rest = y; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = BigInt.asIntN(64, result * square);
    square = BigInt.asIntN(64, square * square);
  }
  return result;
}
