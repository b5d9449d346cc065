import { Xoshiro128 } from './random.js';

const take = <T>(count: number, next: () => T) => Array.from({ length: count }, next);

describe('Xoshiro128', () => {
  it('gives the outputs of the reference implementation (the vector of rand_xoshiro)', () => {
    const random = new Xoshiro128(1, 2, 3, 4);
    expect(take(10, () => random.next())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597,
      4258142804,
    ]);
  });

  it('makes 53 bits from two words, the high ones first', () => {
    const random = new Xoshiro128(1, 2, 3, 4);
    expect(random.uniform()).toBe((11520 >>> 5) / 2 ** 27);
  });

  it('gives the same for the same seed and stream, and another for another', () => {
    const of = (seed: number, stream?: number) =>
      take(4, Xoshiro128.prototype.next.bind(Xoshiro128.seeded(seed, stream))).join();
    expect(of(7)).toBe(of(7, 0));
    expect(new Set([of(7), of(8), of(7, 1), of(7 + 2 ** 32), of(0)]).size).toBe(5);
  });

  it('has the moments of a standard normal distribution', () => {
    const random = Xoshiro128.seeded(1);
    const values = take(100_000, () => random.normal());
    const mean = (power: number) => values.reduce((sum, x) => sum + x ** power, 0) / values.length;
    // Five standard errors: 1, sqrt(2), sqrt(15) and sqrt(96) over sqrt(100000).
    expect(Math.abs(mean(1))).toBeLessThan(0.016);
    expect(Math.abs(mean(2) - 1)).toBeLessThan(0.023);
    expect(Math.abs(mean(3))).toBeLessThan(0.062);
    expect(Math.abs(mean(4) - 3)).toBeLessThan(0.16);
  });

  it('draws each integer below a bound', () => {
    const random = Xoshiro128.seeded(3);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[random.integer(7)]!++;
    // Five standard deviations of a binomial of 70000 draws at 1/7: 463.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(463);
  });
});
