/** Grows an array of floats or doubles from little-endian bytes, bit for bit. */
export class FixedList {
  #bytes = new Uint8Array(64);
  #length = 0;

  /** `width`: 4 for floats, 8 for doubles. */
  constructor(readonly width: 4 | 8) {}

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Appends `count` values that stand `step` bytes apart, the first at `from`. */
  appendApart(bytes: Uint8Array, from: number, step: number, count: number): void {
    this.#reserve(count * this.width);
    const target = this.#bytes;
    let to = this.#length;
    for (let i = 0, at = from; i < count; i++, at += step)
      for (let b = 0; b < this.width; b++) target[to++] = bytes[at + b]!;
    this.#length = to;
  }

  #reserve(more: number): void {
    const length = this.#length + more;
    if (length <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  values(): Float32Array | Float64Array {
    const buffer = this.#bytes.slice(0, this.#length).buffer;
    return this.width === 4 ? new Float32Array(buffer) : new Float64Array(buffer);
  }
}
