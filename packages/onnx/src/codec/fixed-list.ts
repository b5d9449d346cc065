/** Grows an array of floats or doubles from little-endian bytes, bit for bit. */
export class FixedList {
  #bytes = new Uint8Array(64);
  #length = 0;

  /** `width`: 4 for floats, 8 for doubles. */
  constructor(readonly width: 4 | 8) {}

  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    if (bytes.length <= 8) for (let i = 0; i < bytes.length; i++) this.#bytes[this.#length + i] = bytes[i]!;
    else this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  values(): Float32Array | Float64Array {
    const buffer = this.#bytes.slice(0, this.#length).buffer;
    return this.width === 4 ? new Float32Array(buffer) : new Float64Array(buffer);
  }
}
