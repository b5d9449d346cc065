import { allocate, sizeOf, type Tensor } from '../tensor/tensor.js';
import type { DType } from '../tensor/dtype.js';

/** Elements picked from `from`: element i of the result is element `pick(i)`, and -1 picks `fill`. Complex numbers are moved in pairs. */
export function pickElements(from: Tensor, shape: readonly number[], pick: (at: number) => number, fill: number | bigint | string = 0): Tensor {
  const pair = from.dtype === 'complex64' || from.dtype === 'complex128' ? 2 : 1;
  const data = allocate(from.dtype, sizeOf(shape));
  const [source, target] = [from.data, data] as unknown as [unknown[], unknown[]];
  for (let at = 0; at < data.length / pair; at++) {
    const p = pick(at);
    for (let k = 0; k < pair; k++) target[at * pair + k] = p < 0 ? fillFor(from.dtype, fill) : source[p * pair + k];
  }
  return { dtype: from.dtype, shape, data };
}

function fillFor(dtype: DType, fill: number | bigint | string): number | bigint | string {
  return dtype === 'int64' || dtype === 'uint64' ? BigInt(fill) : dtype === 'string' ? String(fill) : Number(fill);
}

