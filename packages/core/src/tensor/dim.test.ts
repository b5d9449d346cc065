import fc from 'fast-check';
import {
  addDim,
  bounds,
  ceilDivDim,
  evaluateDim,
  exactQuotient,
  floorDivDim,
  maxDim,
  minDim,
  modDim,
  mulDim,
  productOf,
  sameDim,
  subDim,
  substituteDim,
  symbol,
  symbolsOf,
  type Dim,
} from './dim.js';
import { dimName, parseDim } from './parse-dim.js';

const names = ['n', 'c', 'height'] as const;
const [n, c, height] = names.map(symbol) as [Dim, Dim, Dim];

/** A dimension and, computed apart from it, its value as a function of the sizes. */
interface Computed {
  readonly dim: Dim;
  readonly value: (sizes: ReadonlyMap<string, number>) => number;
}

const binary =
  (dim: (a: Dim, b: Dim) => Dim, value: (a: number, b: number) => number) =>
  (a: Computed, b: Computed) => ({
    dim: dim(a.dim, b.dim),
    value: (sizes: ReadonlyMap<string, number>) => value(a.value(sizes), b.value(sizes)),
  });

const named: fc.Arbitrary<Computed> = fc.constantFrom(...names).map((name) => ({
  dim: symbol(name),
  value: (sizes: ReadonlyMap<string, number>) => sizes.get(name)!,
}));
const leaf: fc.Arbitrary<Computed> = fc.oneof(
  fc.integer({ min: -9, max: 9 }).map((x) => ({ dim: x, value: () => x })),
  named,
);
/** Divisors are numbers but 0, or named dimensions: what cannot be 0. */
const divisor: fc.Arbitrary<Computed> = fc.oneof(
  fc.integer({ min: 1, max: 6 }).map((x) => ({ dim: x, value: () => x })),
  fc.integer({ min: -6, max: -1 }).map((x) => ({ dim: x, value: () => x })),
  named,
);
const modulo = (a: number, b: number) => a - b * Math.floor(a / b);
const { expression } = fc.letrec<{ expression: Computed }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'dim' },
    leaf,
    fc
      .tuple(tie('expression'), tie('expression'))
      .map(([a, b]) => binary(addDim, (x, y) => x + y)(a, b)),
    fc
      .tuple(tie('expression'), tie('expression'))
      .map(([a, b]) => binary(subDim, (x, y) => x - y)(a, b)),
    fc.tuple(tie('expression'), leaf).map(([a, b]) => binary(mulDim, (x, y) => x * y)(a, b)),
    fc
      .tuple(tie('expression'), divisor)
      .map(([a, b]) => binary(floorDivDim, (x, y) => Math.floor(x / y))(a, b)),
    fc
      .tuple(tie('expression'), divisor)
      .map(([a, b]) => binary(ceilDivDim, (x, y) => Math.ceil(x / y))(a, b)),
    fc.tuple(tie('expression'), divisor).map(([a, b]) => binary(modDim, modulo)(a, b)),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => binary(minDim, Math.min)(a, b)),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => binary(maxDim, Math.max)(a, b)),
  ),
}));
const someSizes = fc
  .tuple(...names.map(() => fc.integer({ min: 1, max: 12 })))
  .map((values) => new Map(names.map((name, i) => [name as string, values[i]!])));

test('expressions have the value of plain arithmetic, within their bounds (property)', () => {
  fc.assert(
    fc.property(expression, someSizes, ({ dim, value }, sizes) => {
      const expected = value(sizes);
      // + 0: a zero has no sign here.
      expect(evaluateDim(dim, sizes)! + 0).toBe(expected + 0);
      const [low, high] = bounds(dim);
      expect(low).toBeLessThanOrEqual(expected);
      expect(high).toBeGreaterThanOrEqual(expected);
    }),
    { numRuns: 2000 },
  );
});

test('parse ∘ print is the identity (property)', () => {
  fc.assert(
    fc.property(expression, ({ dim }) => {
      expect(String(parseDim(String(dim)))).toBe(String(dim));
    }),
    { numRuns: 2000 },
  );
});

test('substitution and evaluation commute, and leave no replaced name (property)', () => {
  fc.assert(
    fc.property(expression, expression, someSizes, ({ dim }, replacement, sizes) => {
      const size = replacement.value(sizes);
      // A named dimension is at least 1.
      fc.pre(size >= 1);
      const substituted = substituteDim(dim, new Map([['n', replacement.dim]]));
      const expected = evaluateDim(dim, new Map([...sizes, ['n', size]]))!;
      fc.pre(bounds(replacement.dim)[0] >= 1);
      expect(evaluateDim(substituted, sizes)! + 0).toBe(expected + 0);
      if (!symbolsOf(replacement.dim).has('n')) expect(symbolsOf(substituted).has('n')).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

test('an exact quotient times the divisor is the dividend (property)', () => {
  fc.assert(
    fc.property(expression, divisor, ({ dim }, { dim: by }) => {
      const quotient = exactQuotient(mulDim(dim, by), by);
      expect(quotient === undefined || sameDim(mulDim(quotient, by), mulDim(dim, by))).toBe(true);
      if (typeof by === 'number') expect(quotient).toBeDefined();
    }),
  );
});

test('one way to say each thing', () => {
  expect(String(addDim(mulDim(addDim(n, 1), addDim(n, -1)), 1))).toBe('n*n');
  expect(String(subDim(mulDim(c, n), mulDim(n, c)))).toBe('0');
  expect(String(productOf([n, 3, height, 2]))).toBe('6*height*n');
  expect(String(floorDivDim(addDim(mulDim(n, 2), 1), 2))).toBe('n');
  expect(String(floorDivDim(addDim(n, 5), 2))).toBe('floordiv(n+1,2)+2');
  expect(String(subDim(3, n))).toBe('-n+3');
  expect(sameDim(minDim(n, c), minDim(c, n))).toBe(true);
});

test('bounds decide minimum and maximum where they can: a named dimension is at least 1', () => {
  expect(maxDim(n, 1)).toBe(n);
  expect(minDim(n, 0)).toBe(0);
  expect(sameDim(maxDim(addDim(n, c), n), addDim(n, c))).toBe(true);
  expect(String(maxDim(n, 2))).toBe('max(2,n)');
});

test('a dimension without a value has none, whatever else has', () => {
  expect(evaluateDim(addDim(n, c), new Map([['n', 3]]))).toBeUndefined();
  expect(evaluateDim(7, new Map())).toBe(7);
});

test.each(['', 'n+', '2*', 'min(n)', 'min(n,c', 'sum(n,c)', 'n c', '(n)', '1.5'])(
  '%j is not a dimension',
  (text) => {
    expect(() => parseDim(text)).toThrow('core/invalid-text');
  },
);

test.each(['constructor', '__proto__', 'toString'])('%s is a name, and no operation', (name) => {
  expect(String(parseDim(name))).toBe(name);
  expect(() => parseDim(`${name}(n,2)`)).toThrow(
    expect.objectContaining({
      diagnostics: [expect.objectContaining({ code: 'core/invalid-text' })],
    }),
  );
});

test('a foreign name becomes one that expressions can hold and that does not mean data-dependent', () => {
  expect(dimName('batch size')).toBe('batch_size');
  expect(dimName('2d')).toBe('_2d');
  expect(dimName('past+1')).toBe('past_1');
  expect(dimName('?')).toBe('_');
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }),
      (foreign) => String(parseDim(dimName(foreign))) === dimName(foreign),
    ),
  );
});
