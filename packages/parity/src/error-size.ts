import { toNumbers, type Tensor } from '@drover/core';

/** How large the error of a tensor is, over the elements that are finite on both sides. */
export interface ErrorSize {
  /** Root of the mean square. */
  readonly rms: number;
  /** Largest magnitude. */
  readonly max: number;
}

/** The error of a tensor of numbers against the exact one, and how many elements it is over. */
export function errorOf(actual: Tensor, exact: Tensor): ErrorSize & { readonly count: number } {
  if (actual.dtype === 'string' || actual.data.length !== exact.data.length)
    return { rms: 0, max: 0, count: 0 };
  const [a, e] = [toNumbers(actual), toNumbers(exact)];
  let [max, squares, count] = [0, 0, 0];
  for (let i = 0; i < e.length; i++) {
    const error = Math.abs(a[i]! - e[i]!);
    if (!Number.isFinite(error)) continue;
    if (error > max) max = error;
    squares += error * error;
    count++;
  }
  return { rms: Math.sqrt(squares / Math.max(count, 1)), max, count };
}

/** Root of the mean square of the finite elements; 0 for text. */
export function rootMeanSquare(tensor: Tensor): number {
  if (tensor.dtype === 'string') return 0;
  let [squares, count] = [0, 0];
  for (const x of toNumbers(tensor)) {
    if (!Number.isFinite(x)) continue;
    squares += x * x;
    count++;
  }
  return Math.sqrt(squares / Math.max(count, 1));
}
