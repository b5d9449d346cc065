import { toNumbers, type Tensor } from '@drover/core';
import type { StorageStep } from './storage-step.js';

/** A uniform variable of [-width, width] has the standard deviation 1. */
const width = Math.sqrt(3);

/**
 * A stream of random errors: xorshift32 (Marsaglia 2003), which costs little beside the arithmetic
 * that it disturbs. Errors are uniform; the sums of many that a network makes are normal.
 */
export class Noise {
  #state: number;

  /** Equal seeds give equal streams. */
  constructor(seed: number) {
    this.#state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x85ebca6b) >>> 0 || 1;
  }

  /** A number of [-1, 1). */
  #next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x / 2 ** 31;
  }

  /**
   * A float tensor with an error on each element, of so many `deviations` times its allowance. What
   * has no negative element gets none, nor a zero: squares, norms and probabilities stay what they
   * are. The array of allowances becomes that of the elements.
   */
  addTo(tensor: Tensor, allowance: Float64Array, deviations: number): Tensor {
    const values = toNumbers(tensor);
    const factor = deviations * width;
    const isSigned = values.some((value) => value < 0);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      const error = allowance[i]! * factor * this.#next();
      allowance[i] = value + (isSigned || error > -value / 2 ? error : -value / 2);
    }
    return { ...tensor, data: allowance };
  }

  /**
   * A float tensor with a uniform error on each element, of up to half a step either way. One whose
   * elements are all equal is stored as it is, whatever the step between its codes.
   */
  addStep(tensor: Tensor, { absolute, relative }: StorageStep): Tensor {
    const values = toNumbers(tensor);
    if (absolute > 0 && values.every((value) => value === values[0])) return tensor;
    const data = values.map(
      (value) => value + (absolute + relative * Math.abs(value)) * 0.5 * this.#next(),
    );
    return { ...tensor, data };
  }
}
