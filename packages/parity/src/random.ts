const rotate = (x: number, k: number) => (x << k) | (x >>> (32 - k));

/**
 * xoshiro128** 1.1, a 32-bit generator of period 2^128 − 1.
 * @see https://prng.di.unimi.it/xoshiro128starstar.c
 */
export class Xoshiro128 {
  readonly #s: Uint32Array;

  /** The state: four words of 32 bits, not all zero. */
  constructor(a: number, b: number, c: number, d: number) {
    this.#s = Uint32Array.of(a, b, c, d);
  }

  /**
   * The generator of a seed, and of one of its independent streams. The words are mixed by
   * MurmurHash3's finaliser, so that near seeds are unlike.
   */
  static seeded(seed: number, stream = 0): Xoshiro128 {
    const words = [1, 2, 3, 4].map((i) =>
      mix(
        mix(mix(Math.floor(seed / 2 ** 32)) ^ seed) ^
          Math.imul(stream + 1, 0x85ebca6b) ^
          Math.imul(i, 0x9e3779b9),
      ),
    );
    return new Xoshiro128(words[0]!, words[1]!, words[2]!, words[3]! | 1);
  }

  /** The next 32 bits, unsigned. */
  next(): number {
    const s = this.#s;
    const result = Math.imul(rotate(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotate(s[3]!, 11);
    return result;
  }

  /** A number of [0, 1) with 53 bits. */
  uniform(): number {
    return ((this.next() >>> 5) * 2 ** 26 + (this.next() >>> 6)) / 2 ** 53;
  }

  /** An integer of [0, `below`), each as likely, for `below` up to 2^32. */
  integer(below: number): number {
    const limit = 2 ** 32 - (2 ** 32 % below);
    for (;;) {
      const x = this.next();
      if (x < limit) return x % below;
    }
  }

  /** A number of the standard normal distribution (Box and Muller's transform). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
}

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
