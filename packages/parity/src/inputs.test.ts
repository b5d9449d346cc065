import type { InputSpec } from './input-spec.js';
import { makeInputs } from './inputs.js';

const image: InputSpec = {
  name: 'image',
  dtype: 'float32',
  shape: ['batch', 3, 'height', 'width'],
};
const ids: InputSpec = { name: 'ids', dtype: 'int64', shape: ['batch', null], below: 43 };

describe('makeInputs', () => {
  it('gives pairwise different primes to free dimensions, the same to the same symbol, and none that is fixed', () => {
    const made = makeInputs([image, ids, { name: 'vec', dtype: 'float32', shape: [null, 7] }], {
      seed: 1,
    });
    expect(made.get('image')!.shape).toEqual([2, 3, 11, 13]);
    expect(made.get('ids')!.shape).toEqual([2, 17]);
    expect(made.get('vec')!.shape).toEqual([5, 7]);
  });

  it('takes sizes by symbol and by place', () => {
    const sizes = new Map([['batch', 1], ['height', 64], ['ids[1]', 12]]); // prettier-ignore
    const made = makeInputs([image, ids], { seed: 1, sizes });
    expect(made.get('image')!.shape).toEqual([1, 3, 64, 7]);
    expect(made.get('ids')!.shape).toEqual([1, 12]);
  });

  it('goes on past its list of primes', () => {
    const made = makeInputs(
      [{ name: 'x', dtype: 'bool', shape: [0, ...new Array<null>(30).fill(null)] }],
      { seed: 1 },
    );
    const sizes = made.get('x')!.shape.slice(1);
    expect(new Set(sizes).size).toBe(30);
    // 7 is the 4th prime, so the 30th from there is the 33rd: 137.
    expect(sizes.at(-1)).toBe(137);
  });

  it('is the same for the same seed, another for another, and does not depend on the inputs beside it', () => {
    const of = (seed: number, ...specs: InputSpec[]) =>
      [...makeInputs(specs, { seed }).values()][0]!;
    expect(of(1, image)).toEqual(of(1, image));
    expect(of(1, image).data).not.toEqual(of(2, image).data);
    expect(of(1, image, { name: 'b', dtype: 'bool', shape: [4] })).toEqual(of(1, image));
  });

  it('keeps integers below the bound and reaches every one', () => {
    const { data } = makeInputs([{ name: 'x', dtype: 'int32', shape: [2000], below: 43 }], {
      seed: 5,
    }).get('x')!;
    expect(new Set(data as Float64Array)).toEqual(new Set(Array.from({ length: 43 }, (_, i) => i)));
    expect(
      new Set(
        makeInputs([{ name: 'x', dtype: 'int64', shape: [50] }], { seed: 5 }).get('x')!
          .data as BigInt64Array,
      ),
    ).toEqual(new Set([0n, 1n]));
  });

  it('gives values that the type holds', () => {
    const value = (dtype: InputSpec['dtype']) =>
      makeInputs([{ name: 'x', dtype, shape: [100] }], { seed: 2 }).get('x')!.data;
    for (const x of value('float32') as Float64Array) expect(x).toBe(Math.fround(x));
    expect(new Set(value('bool') as Uint8Array)).toEqual(new Set([0, 1]));
    expect(value('complex64')).toHaveLength(200);
    expect(value('string')).toHaveLength(100);
    // binary16 has 11 bits: every value times 2^24 is an integer.
    for (const x of value('float16') as Float64Array)
      expect(Number.isInteger(x * 2 ** 24)).toBe(true);
  });

  it('walks through the edges', () => {
    const [x] = makeInputs([{ name: 'x', dtype: 'float32', shape: [20] }], {
      seed: 2,
      values: 'edge',
    }).values();
    expect([...(x!.data as Float64Array)].slice(0, 6)).toEqual([0, -0, 1, -1, 0.5, -0.5]);
  });
});
