import { tensor, type DType, type Tensor } from '@drover/core';
import type { ErrorSize } from './error-size.js';
import { Reach } from './reach.js';
import { judge } from './judge.js';
import type { Oracle } from './oracle.js';
import type { Rules } from './rules.js';

const f32 = (...values: number[]) => tensor('float32', [values.length], values);
const f64 = (...values: number[]) => tensor('float64', [values.length], values);
const u = 2 ** -23;

/** An oracle of one output, with what rounding does to it. */
const oracleOf = (exact: Tensor, expected: ErrorSize = { rms: 0, max: 0 }): Oracle => ({
  outputs: new Map([['y', exact]]),
  expected: new Map([['y', { ...expected, count: 10_000, shares: new Map([['Conv', 1]]) }]]),
  jumps: false,
  reach: new Reach(),
  ties: async () => [],
  another: async () => new Map(),
});

interface Given {
  readonly target?: Tensor | undefined;
  readonly source?: Tensor | undefined;
  readonly oracle?: Oracle | undefined;
  readonly isSourceExact?: boolean;
  readonly isSourceExpected?: boolean;
  readonly between?: ErrorSize;
}

async function verdict({ target, source, between, ...more }: Given, options?: Partial<Rules>) {
  const only = (value: Tensor | undefined) => new Map(value ? [['y', value]] : []);
  const run = {
    ...more,
    target: only(target),
    ...(source && { source: only(source) }),
    ...(between && { between: new Map([['y', between]]) }),
  };
  const judgement = await judge(['y'], [run], options);
  return { ...judgement.outputs[0]!, overall: judgement.verdict };
}

/** Many elements, every one off by as much: the root of the mean square is that, too. */
const many = (off: number) =>
  f64(...Array.from({ length: 10_000 }, (_, i) => Math.sin(i) + (i % 2 ? off : -off)));

describe('with an oracle', () => {
  const oracle = oracleOf(many(0), { rms: 1e-6, max: 1e-6 });

  it('agrees up to four times the error of the source, whatever is expected', async () => {
    const result = await verdict({ target: many(3.9e-6), source: many(1e-6), oracle });
    expect(result).toMatchObject({ verdict: 'agree', agree: true, overall: 'agree', reason: null });
    expect(result.tolerance!.max).toBeCloseTo(4e-6, 12);
    expect(result.sourceError!.max).toBeCloseTo(1e-6, 12);
    expect(result.error!.rms).toBeCloseTo(3.9e-6, 12);
    // Where the source loses much, the target may; it is not yet far off what is expected.
    const lossy = { target: many(3.9e-5), source: many(1e-5), oracle };
    expect((await verdict(lossy)).verdict).toBe('agree');
  });

  it('is suspicious beyond, and differs beyond ten times what is expected', async () => {
    const judged = async (off: number) =>
      (await verdict({ target: many(off), source: many(1e-6), oracle })).verdict;
    expect([await judged(4.2e-6), await judged(9.5e-6), await judged(1.1e-5)]).toEqual([
      'suspicious',
      'suspicious',
      'differ',
    ]);
    const { reason } = await verdict({ target: many(8e-6), source: many(1e-6), oracle });
    expect(reason).toMatch(/8\.0e-6.*4\.0e-6 agrees, 8\.0 times the source's own error/);
  });

  it('allows for three times what is expected, but not for more than 8 times what the source loses', async () => {
    const judged = async (off: number, sourceOff: number) =>
      (await verdict({ target: many(off), source: many(sourceOff), oracle })).verdict;
    expect([await judged(2.9e-6, 5e-7), await judged(3.2e-6, 5e-7)]).toEqual([
      'agree',
      'suspicious',
    ]);
    // Over 10,000 elements luck is 1.04.
    expect([await judged(4e-7, 5e-8), await judged(4.4e-7, 5e-8)]).toEqual(['agree', 'suspicious']);
  });

  it('sees one element that is off, and a tensor that is off a little everywhere', async () => {
    const one = many(0);
    (one.data as Float64Array)[77]! += 2e-5;
    expect((await verdict({ target: one, source: many(1e-6), oracle })).verdict).toBe('differ');
    const spread = oracleOf(many(0), { rms: 1e-7, max: 1e-5 });
    const { verdict: found } = await verdict({
      target: many(2e-6),
      source: many(1e-7),
      oracle: spread,
    });
    expect(found).toBe('differ');
  });

  it('goes by what is expected where the source did not run, or in the reference only', async () => {
    expect(await verdict({ target: many(2.9e-6), oracle })).toMatchObject({
      verdict: 'agree',
      sourceError: null,
    });
    const exact = { source: many(0), isSourceExact: true, oracle };
    expect((await verdict({ ...exact, target: many(2.9e-6) })).verdict).toBe('agree');
    expect((await verdict({ ...exact, target: many(4e-6) })).verdict).toBe('suspicious');
  });

  it('holds what is expected of a model to the oracle, too', async () => {
    const judged = async (target: number, expected: number) => {
      const given = { target: many(target), source: many(expected), oracle };
      return (await verdict({ ...given, isSourceExpected: true })).verdict;
    };
    expect([
      await judged(1e-6, 1e-6),
      await judged(1e-6, 5e-6),
      await judged(1e-6, 2e-5),
      await judged(5e-6, 1e-6),
    ]).toEqual(['agree', 'suspicious', 'differ', 'suspicious']);
  });

  it('is undecided when the source itself contradicts the oracle, however well the target agrees with it', async () => {
    const given = { source: many(3e-5), oracle };
    expect(await verdict({ ...given, target: many(0) })).toMatchObject({
      verdict: 'undecided',
      reason: expect.stringContaining('the model was misread'),
    });
    expect((await verdict({ ...given, source: many(1.5e-5), target: many(0) })).verdict).toBe(
      'agree',
    );
    const none = f64(...new Array<number>(10_000).fill(NaN));
    expect(await verdict({ target: many(0), source: none, oracle })).toMatchObject({
      verdict: 'undecided',
      reason: expect.stringContaining('the runtime is wrong'),
    });
  });

  it('allows for the coarser type of both runs', async () => {
    // What is expected was measured in float64; the target computes in float32.
    const double = oracleOf(many(0), { rms: 1e-16, max: 1e-16 });
    const narrowed = { ...many(1e-8), dtype: 'float32' as const };
    const source = many(1e-17);
    expect((await verdict({ target: narrowed, source, oracle: double })).verdict).toBe(
      'suspicious',
    );
    expect(
      (await verdict({ target: narrowed, source, isSourceExact: true, oracle: double })).verdict,
    ).toBe('agree');
    expect((await verdict({ target: many(1e-8), source, oracle: double })).verdict).toBe('differ');
  });

  it('wants overflow where the source overflows, though float64 does not', async () => {
    const wide = oracleOf(f64(1, 1e39, -1), { rms: u, max: u });
    const judged = async (target: Tensor) =>
      verdict({ target, source: f32(1, Infinity, -1), oracle: wide });
    expect((await judged(f32(1, Infinity, -1))).verdict).toBe('agree');
    expect(await judged(f32(1, 1e38, -1))).toMatchObject({
      verdict: 'differ',
      reason: expect.stringContaining('infinite'),
    });
    expect((await judged(f32(1, -Infinity, -1))).verdict).toBe('differ');
  });

  it('does not decide by an oracle that is not finite where both models are', async () => {
    const given = { target: f32(1, 1.5, -1), source: f32(1, 1.5, -1) };
    const unknown = oracleOf(f64(1, NaN, -1));
    expect((await verdict({ ...given, oracle: unknown })).verdict).toBe('undecided');
  });

  it('does not decide when what agrees is a large part of the range', async () => {
    const loose = oracleOf(many(0), { rms: 0.1, max: 0.1 });
    expect(await verdict({ target: many(0), oracle: loose })).toMatchObject({
      verdict: 'undecided',
      reason: expect.stringContaining('tolerance'),
    });
  });
});

describe('without an oracle', () => {
  const source = f32(1, 1.5, -1);

  it('takes the limits of another run, as shares of the source', async () => {
    const between = { rms: 4 * u, max: 8 * u };
    const at = (off: number) => verdict({ target: f32(1, 1.5 + off, -1), source, between });
    expect([(await at(4 * u)).verdict, (await at(12 * u)).verdict]).toEqual(['agree', 'differ']);
  });

  it('falls back to 1024 ULP of the largest magnitude', async () => {
    const at = (off: number) => verdict({ target: f32(1, 1.5 + off, -1), source });
    expect((await at(1024 * u)).verdict).toBe('agree');
    expect((await at(1025 * u)).verdict).toBe('differ');
  });

  it('has nothing to say without a reference', async () => {
    expect(await verdict({ target: source })).toMatchObject({
      verdict: 'undecided',
      overall: 'undecided',
      tolerance: null,
    });
    expect((await judge([], [{ target: new Map() }])).verdict).toBe('undecided');
  });
});

it('can use fixed tolerances, per element, as numpy does', async () => {
  const fixed = { rtol: 0.01, atol: 0.001 };
  const at = (source: Tensor, ...values: number[]) =>
    verdict({ target: f32(...values), source }, { fixed });
  expect((await at(f32(10, 0), 10.1, -0.0009)).verdict).toBe('agree');
  expect((await at(f32(10, 0), 10, 0.0011)).verdict).toBe('differ');
});

describe('never agrees by default', () => {
  it.each([
    ['an output is missing', undefined, f32(1, 2), 'differ'],
    ['shapes differ', tensor('float32', [2, 1], [1, 2]), f32(1, 2), 'differ'],
    ['text meets numbers', tensor('string', [2], ['1', '2']), f32(1, 2), 'differ'],
    ['NaN do not coincide', f32(NaN, 2, 3), f32(1, 2, 3), 'differ'],
    ['the source has NaN and the target has not', f32(1, 2, 3), f32(NaN, 2, 3), 'differ'],
    ['every element is zero', f32(0, 0), f32(0, 0), 'undecided'],
    ['every element is the same', f32(3, 3), f32(3, 3), 'undecided'],
    ['the only number is zero', f32(0), f32(0), 'undecided'],
    ['nothing is finite', f32(NaN, NaN), f32(NaN, NaN), 'undecided'],
    ['the output is empty', f32(), f32(), 'undecided'],
    [
      'integers are all the same',
      tensor('int32', [2], [4, 4]),
      tensor('int32', [2], [4, 4]),
      'undecided',
    ],
    // 1024 ULP at 1e6 are 64, more than a sixteenth of the range 100.
    ['the spread drowns in the tolerance', f32(1e6, 1e6 + 100), f32(1e6, 1e6 + 100), 'undecided'],
    ['a constant is off as well', f32(4, 4), f32(3, 3), 'differ'],
  ] as const)('when %s', async (_, target, source, expected) => {
    expect(await verdict({ target, source })).toMatchObject({
      verdict: expected,
      agree: false,
      reason: expect.any(String),
      overall: expected,
    });
  });

  it('when the target gives an output of another name', async () => {
    const source = new Map([['y', f32(1, 2)]]);
    const judgement = await judge(['y'], [{ source, target: new Map([...source, ['z', f32(1)]]) }]);
    expect(judgement).toMatchObject({
      verdict: 'differ',
      outputs: [
        { name: 'y', verdict: 'agree' },
        { name: 'z', verdict: 'differ' },
      ],
    });
  });

  it('and one undecided output leaves the whole undecided', async () => {
    const both = new Map([['a', f32(1, 2)], ['b', f32(0, 0)]]); // prettier-ignore
    expect((await judge(['a', 'b'], [{ source: both, target: both }])).verdict).toBe('undecided');
  });
});

describe('over several runs', () => {
  const run = (target: Tensor, source = target) => ({
    target: new Map([['y', target]]),
    source: new Map([['y', source]]),
  });

  it('an output that is constant in each may still move from one to the other', async () => {
    const judged = await judge(['y'], [run(f32(3, 3)), run(f32(4, 4))]);
    expect(judged.verdict).toBe('agree');
    expect((await judge(['y'], [run(f32(3, 3)), run(f32(3, 3))])).verdict).toBe('undecided');
  });

  it('the worst decides, and is shown', async () => {
    const judged = await judge(['y'], [run(f32(1, 2)), run(f32(1, 2.5), f32(1, 2))]);
    expect(judged).toMatchObject({
      verdict: 'differ',
      outputs: [{ metrics: { maxAbs: 0.5 }, fractionOutside: 0.5 }],
    });
  });
});

describe('what has to be equal', () => {
  const pair = (dtype: DType, values: (number | bigint | boolean | string)[]) =>
    tensor(dtype, [values.length], values);

  it.each([
    ['int64 narrowed to int32', pair('int32', [1, 2]), pair('int64', [1n, 2n]), 'agree'],
    ['an integer off by one', pair('int32', [1, 3]), pair('int64', [1n, 2n]), 'differ'],
    ['indices as floats', pair('float32', [1, 2]), pair('int64', [1n, 2n]), 'agree'],
    [
      'indices as floats, a little off',
      pair('float32', [1, 2.0001]),
      pair('int64', [1n, 2n]),
      'differ',
    ],
    ['bool as bytes', pair('uint8', [1, 0]), pair('bool', [true, false]), 'agree'],
    ['text', pair('string', ['a', 'b']), pair('string', ['a', 'b']), 'agree'],
    ['other text', pair('string', ['a', 'c']), pair('string', ['a', 'b']), 'differ'],
    ['a single integer, even zero', pair('int64', [0n]), pair('int64', [0n]), 'agree'],
    [
      'integers beyond 2^53',
      pair('int64', [2n ** 60n + 1n, 0n]),
      pair('int64', [2n ** 60n, 0n]),
      'differ',
    ],
  ] as const)('%s', async (_, target, source, expected) => {
    expect((await verdict({ target, source })).verdict).toBe(expected);
  });

  it('is equal to the source or to the oracle, where ties fall either way', async () => {
    const source = pair('int64', [1n, 4n, 2n]);
    const oracle = oracleOf(pair('int64', [1n, 5n, 3n]));
    const at = (middle: bigint) =>
      verdict({ target: pair('int64', [1n, middle, 2n]), source, oracle });
    expect((await at(5n)).verdict).toBe('agree');
    expect((await at(6n)).verdict).toBe('differ');
  });
});

it('judges complex numbers by their parts', async () => {
  const complex = (...parts: number[]): Tensor => ({
    dtype: 'complex64',
    shape: [2],
    data: Float64Array.from(parts),
  });
  const source = complex(1, -1, 0.5, 1);
  const at = (off: number) => verdict({ target: complex(1, -1, 0.5, 1 + off), source });
  expect((await at(1024 * u)).verdict).toBe('agree');
  expect((await at(1025 * u)).verdict).toBe('differ');
});
