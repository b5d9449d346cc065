import { isFloat, toNumbers, type Tensor } from '@drover/core';

/** What values an output took over some runs, to tell whether agreement proves anything. */
export class Spread {
  #low = Infinity;
  #high = -Infinity;
  #count = 0;
  #tolerance = Infinity;
  #isText = false;
  #isExact = true;
  readonly #texts = new Set<string>();

  /** Takes in what the output was in a run, and the largest error that agreed there. */
  add(output: Tensor, tolerance: number): void {
    this.#count += output.data.length;
    this.#tolerance = Math.min(this.#tolerance, tolerance);
    if (output.dtype === 'string') {
      this.#isText = true;
      for (const text of output.data as readonly string[]) this.#texts.add(text);
      return;
    }
    if (isFloat(output.dtype)) this.#isExact = false;
    for (const x of toNumbers(output)) {
      if (!Number.isFinite(x)) continue;
      this.#low = Math.min(this.#low, x);
      this.#high = Math.max(this.#high, x);
    }
  }

  /** Why agreement would prove nothing, if so; a tolerance may be such a share of the range. */
  vacuity(maxToleranceOfRange: number): string | null {
    if (this.#count === 0) return 'it is empty';
    if (this.#isText)
      return this.#count > 1 && this.#texts.size === 1
        ? `every element is ${JSON.stringify([...this.#texts][0])}, whatever the model does`
        : null;
    const [low, high] = [this.#low, this.#high];
    if (low > high) return 'no element is finite';
    if (this.#count > 1 && low === high)
      return low === 0
        ? 'every element is zero'
        : `every element is ${low}, whatever the model does`;
    if (this.#isExact) return null;
    if (low === 0 && high === 0) return 'every element is zero';
    // A single number has no spread: its distance from zero has to do.
    const range = this.#count > 1 ? high - low : Math.abs(low);
    if (this.#tolerance <= maxToleranceOfRange * range) return null;
    return `the tolerance ${this.#tolerance.toExponential(1)} is too large for an output of range ${range.toExponential(1)}`;
  }
}
