import { tensor, type DType, type Tensor } from '@drover/core';
import { judge, type Rules } from './judge.js';

const f32 = (...values: number[]) => tensor('float32', [values.length], values);
const f64 = (...values: number[]) => tensor('float64', [values.length], values);
const of = (value: Tensor | undefined) => (value ? new Map([['y', value]]) : undefined);
const u = 2 ** -23;

function verdict(
  target: Tensor | undefined,
  source?: Tensor,
  oracle?: Tensor,
  allowance?: number,
  options?: Partial<Rules>,
) {
  const given = {
    target: of(target) ?? new Map(),
    source: of(source),
    oracle: of(oracle),
    allowanceUlp: allowance === undefined ? undefined : new Map([['y', allowance]]),
  };
  const judgement = judge(
    ['y'],
    Object.fromEntries(Object.entries(given).filter(([, value]) => value)) as never,
    options,
  );
  return { ...judgement.outputs[0]!, overall: judgement.verdict };
}

describe('with an oracle', () => {
  // Largest magnitude 1.5, so an ULP of float32 is u = 2^-23. The source is off by 2u at most.
  const oracle = f64(1, 1.5, -1);
  const source = f32(1 + u, 1.5 - 2 * u, -1);

  it('lets the target err four times as much as the source, plus what the operators may', () => {
    const result = verdict(f32(1, 1.5 + 8 * u, -1), source, oracle);
    expect(result).toMatchObject({
      verdict: 'agree',
      agree: true,
      overall: 'agree',
      reason: null,
      sourceError: 2 * u,
      tolerance: 8 * u,
      maxAbs: 8 * u,
      fractionOutside: 0,
    });
    expect(result.maxUlp).toBe(8);
    expect(verdict(f32(1, 1.5 + 9 * u, -1), source, oracle)).toMatchObject({
      verdict: 'differ',
      fractionOutside: 1 / 3,
    });
    expect(verdict(f32(1, 1.5 + 9 * u, -1), source, oracle, 1)).toMatchObject({
      verdict: 'agree',
      tolerance: 9 * u,
    });
    expect(verdict(f32(1, 1.5 + 9 * u, -1), source, oracle, 0, { multiple: 5 }).verdict).toBe(
      'agree',
    );
  });

  it('judges the target alone when the source could not run', () => {
    expect(verdict(f32(1, 1.5 + 3 * u, -1), undefined, oracle, 3)).toMatchObject({
      verdict: 'agree',
      sourceError: null,
      tolerance: 3 * u,
    });
    expect(verdict(f32(1, 1.5 + 4 * u, -1), undefined, oracle, 3).verdict).toBe('differ');
  });

  it('is undecided when the source itself contradicts the oracle, however well the target agrees with it', () => {
    const misread = f64(1, 1.5 + 2000 * u, -1);
    const runtime = f32(1, 1.5, -1);
    expect(verdict(f32(1, 1.5 + 2000 * u, -1), runtime, misread)).toMatchObject({
      verdict: 'undecided',
      reason: expect.stringContaining('the model was misread'),
    });
    expect(verdict(runtime, runtime, misread, 2000).verdict).toBe('agree');
    expect(verdict(runtime, runtime, f64(1, 1.5 + 1000 * u, -1)).verdict).toBe('agree');
  });

  it('counts ULP in the coarser type of both runs', () => {
    const half = tensor('float16', [3], [1, 1.5, -1]);
    expect(verdict(half, source, oracle, 2).tolerance).toBe(4 * 2 * u + 2 * 2 ** -10);
  });

  it('wants overflow where the source overflows, though float64 does not', () => {
    const wide = f64(1, 1e39, -1);
    expect(verdict(f32(1, Infinity, -1), f32(1, Infinity, -1), wide, 1).verdict).toBe('agree');
    expect(verdict(f32(1, 1e38, -1), f32(1, Infinity, -1), wide, 1)).toMatchObject({
      verdict: 'differ',
      reason: expect.stringContaining('infinite'),
    });
    expect(verdict(f32(1, -Infinity, -1), f32(1, Infinity, -1), wide, 1).verdict).toBe('differ');
  });

  it('does not decide by an oracle that is not finite where both models are', () => {
    expect(verdict(f32(1, 1.5, -1), f32(1, 1.5, -1), f64(1, NaN, -1)).verdict).toBe('undecided');
  });

  it('does not decide when the source is itself too far from the oracle', () => {
    // 4 · 0.1 is more than a sixteenth of the range 2.5.
    expect(verdict(f32(1, 1.4, -1), f32(1, 1.4, -1), oracle)).toMatchObject({
      verdict: 'undecided',
      reason: expect.stringContaining('tolerance'),
    });
  });
});

describe('without an oracle', () => {
  const source = f32(1, 1.5, -1);

  it('lets both models use the allowance up', () => {
    expect(verdict(f32(1, 1.5 + 6 * u, -1), source, undefined, 3)).toMatchObject({
      verdict: 'agree',
      tolerance: 6 * u,
      sourceError: null,
    });
    expect(verdict(f32(1, 1.5 + 7 * u, -1), source, undefined, 3).verdict).toBe('differ');
  });

  it('falls back to 1024 ULP of the largest magnitude', () => {
    expect(verdict(f32(1, 1.5 + 1024 * u, -1), source)).toMatchObject({
      verdict: 'agree',
      tolerance: 2 ** -13,
    });
    expect(verdict(f32(1, 1.5 + 1025 * u, -1), source).verdict).toBe('differ');
  });

  it('has nothing to say without a reference', () => {
    expect(verdict(source)).toMatchObject({
      verdict: 'undecided',
      overall: 'undecided',
      tolerance: null,
    });
    expect(judge([], { target: new Map() }).verdict).toBe('undecided');
  });
});

it('can use fixed tolerances, per element', () => {
  const fixed = { rtol: 0.01, atol: 0.001 };
  expect(verdict(f32(10.1, -0.0009), f32(10, 0), undefined, undefined, { fixed })).toMatchObject({
    verdict: 'agree',
    tolerance: 0.101,
  });
  expect(verdict(f32(10, 0.0011), f32(10, 0), undefined, undefined, { fixed }).verdict).toBe(
    'differ',
  );
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
  ] as const)('when %s', (_, target, source, expected) => {
    expect(verdict(target, source)).toMatchObject({
      verdict: expected,
      agree: false,
      reason: expect.any(String),
      overall: expected,
    });
  });

  it('when the target gives an output of another name', () => {
    // prettier-ignore
    const judgement = judge(['y'], { source: new Map([['y', f32(1, 2)]]), target: new Map([['y', f32(1, 2)], ['z', f32(1)]]) });
    expect(judgement).toMatchObject({
      verdict: 'differ',
      outputs: [
        { name: 'y', verdict: 'agree' },
        { name: 'z', verdict: 'differ' },
      ],
    });
  });

  it('and one undecided output leaves the whole undecided', () => {
    const both = new Map([['a', f32(1, 2)], ['b', f32(0, 0)]]); // prettier-ignore
    expect(judge(['a', 'b'], { source: both, target: both }).verdict).toBe('undecided');
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
  ] as const)('%s', (_, target, source, expected) => {
    expect(verdict(target, source).verdict).toBe(expected);
  });

  it('is equal to the source or to the oracle, where ties fall either way', () => {
    expect(
      verdict(pair('int64', [1n, 5n, 2n]), pair('int64', [1n, 4n, 2n]), pair('int64', [1n, 5n, 3n]))
        .verdict,
    ).toBe('agree');
    expect(
      verdict(pair('int64', [1n, 6n, 2n]), pair('int64', [1n, 4n, 2n]), pair('int64', [1n, 5n, 3n]))
        .verdict,
    ).toBe('differ');
  });
});

it('judges complex numbers by their parts', () => {
  const complex = (...parts: number[]): Tensor => ({
    dtype: 'complex64',
    shape: [2],
    data: Float64Array.from(parts),
  });
  expect(verdict(complex(1, -1, 0.5, 1 + u), complex(1, -1, 0.5, 1), undefined, 1).verdict).toBe(
    'agree',
  );
  expect(
    verdict(complex(1, -1, 0.5, 1 + 3 * u), complex(1, -1, 0.5, 1), undefined, 1).verdict,
  ).toBe('differ');
});
