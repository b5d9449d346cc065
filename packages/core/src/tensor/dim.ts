/**
 * Symbolic dimensions: integer polynomials over named dimensions, with floor division, minimum and
 * maximum as opaque factors. A named dimension stands for an integer of at least 1 that is known
 * when the model runs.
 */
export type Dim = number | SymbolicDim;

/** Dimensions of a tensor, outermost first. */
export type Shape = readonly Dim[];

/** A factor of a term: a named dimension or an operation that a polynomial cannot express. */
export type Factor =
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'floordiv' | 'min' | 'max'; readonly left: Dim; readonly right: Dim };

/** A coefficient times factors. */
export interface Term {
  readonly coefficient: number;
  readonly factors: readonly Factor[];
}

/** A dimension that is not a number. Two are the same when their `key` is. */
export class SymbolicDim {
  readonly key: string;
  constructor(
    /** Terms in canonical order; the constant, when not 0, is the term without factors, last. */
    readonly terms: readonly Term[],
  ) {
    this.key = terms.map(printTerm).join('+').replaceAll('+-', '-');
  }
  toString(): string {
    return this.key;
  }
}

function factorKey(factor: Factor): string {
  if (factor.kind === 'symbol') return factor.name;
  return factor.kind === 'floordiv'
    ? `floordiv(${dimKey(factor.left)},${dimKey(factor.right)})`
    : `${factor.kind}(${dimKey(factor.left)},${dimKey(factor.right)})`;
}

function printTerm({ coefficient, factors }: Term): string {
  const product = factors.map(factorKey).join('*');
  if (product === '') return String(coefficient);
  return coefficient === 1
    ? product
    : coefficient === -1
      ? `-${product}`
      : `${coefficient}*${product}`;
}

/** The text of a dimension: a number, a name or an expression. Equal dimensions have equal text. */
export function dimKey(dim: Dim): string {
  return typeof dim === 'number' ? String(dim) : dim.key;
}

/** Whether two dimensions are provably the same. */
export function sameDim(a: Dim, b: Dim): boolean {
  return a === b || dimKey(a) === dimKey(b);
}

/** Whether two shapes are provably the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => sameDim(dim, b[i]!));
}

function terms(dim: Dim): readonly Term[] {
  return typeof dim === 'number'
    ? dim === 0
      ? []
      : [{ coefficient: dim, factors: [] }]
    : dim.terms;
}

function normalise(all: readonly Term[]): Dim {
  const merged = new Map<string, Term>();
  for (const term of all) {
    const factors = [...term.factors].sort((a, b) => (factorKey(a) < factorKey(b) ? -1 : 1));
    const key = factors.map(factorKey).join('*');
    merged.set(key, {
      coefficient: term.coefficient + (merged.get(key)?.coefficient ?? 0),
      factors,
    });
  }
  const rest = [...merged].filter(([, term]) => term.coefficient !== 0);
  if (rest.length === 0) return 0;
  if (rest.length === 1 && rest[0]![0] === '') return rest[0]![1].coefficient;
  rest.sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1));
  return new SymbolicDim(rest.map(([, term]) => term));
}

/** A named dimension. The name is a word of expressions; `dimName` makes one of any text. */
export function symbol(name: string): SymbolicDim {
  return new SymbolicDim([{ coefficient: 1, factors: [{ kind: 'symbol', name }] }]);
}

/** a + b. */
export function addDim(a: Dim, b: Dim): Dim {
  return typeof a === 'number' && typeof b === 'number'
    ? a + b
    : normalise([...terms(a), ...terms(b)]);
}

/** a - b. */
export function subDim(a: Dim, b: Dim): Dim {
  return addDim(a, mulDim(b, -1));
}

/** a * b. */
export function mulDim(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  return normalise(
    terms(a).flatMap((s) =>
      terms(b).map((t) => ({
        coefficient: s.coefficient * t.coefficient,
        factors: [...s.factors, ...t.factors],
      })),
    ),
  );
}

/** The exact quotient when b divides a, as polynomials; else undefined. */
export function exactQuotient(a: Dim, b: Dim): Dim | undefined {
  if (sameDim(a, b)) return 1;
  if (a === 0) return 0;
  const divisor = terms(b);
  if (divisor.length > 1) return longDivision(a, b);
  if (divisor.length === 0) return undefined;
  const { coefficient, factors } = divisor[0]!;
  const quotient: Term[] = [];
  for (const term of terms(a)) {
    if (term.coefficient % coefficient !== 0) return undefined;
    const left = term.factors.map((factor) => ({ factor, key: factorKey(factor) }));
    for (const key of factors.map(factorKey)) {
      const at = left.findIndex((entry) => entry.key === key);
      if (at < 0) return undefined;
      left.splice(at, 1);
    }
    quotient.push({
      coefficient: term.coefficient / coefficient,
      factors: left.map((entry) => entry.factor),
    });
  }
  return normalise(quotient);
}

/**
 * Division by several terms: the leading term of what is left, divided by that of b, is the next
 * term of the quotient. undefined when it does not come out.
 */
function longDivision(a: Dim, b: Dim): Dim | undefined {
  const lead = leadingTerm(b);
  let quotient: Dim = 0;
  let rest = a;
  // Each step takes out the leading term; a quotient that comes out has no more terms than a.
  for (let steps = 0; rest !== 0 && steps < terms(a).length; steps++) {
    const next = exactQuotient(leadingTerm(rest), lead);
    if (next === undefined) return undefined;
    quotient = addDim(quotient, next);
    rest = subDim(rest, mulDim(next, b));
  }
  return rest === 0 ? quotient : undefined;
}

/** The term with the most factors, of these the last in order. */
function leadingTerm(dim: Dim): Dim {
  return normalise([terms(dim).reduce((a, b) => (b.factors.length >= a.factors.length ? b : a))]);
}

/**
 * floor(a / b); b must not be 0. Parts of a that b divides are taken out, so that floor((2n+1)/2)
 * is n.
 */
export function floorDivDim(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return Math.floor(a / b);
  const whole: Term[] = [];
  const rest: Term[] = [];
  for (const term of terms(a))
    (exactQuotient(normalise([term]), b) === undefined ? rest : whole).push(term);
  const outside = exactQuotient(normalise(whole), b) ?? 0;
  let inside = normalise(rest);
  if (typeof inside === 'number' && typeof b === 'number')
    return addDim(outside, Math.floor(inside / b));
  if (sameDim(inside, 0)) return outside;
  // The constant is reduced modulo the divisor, so that floor((n+5)/2) and floor((n+1)/2)+2 are the
  // same.
  let carried: Dim = 0;
  if (typeof b === 'number') {
    const constant = terms(inside).find((term) => term.factors.length === 0)?.coefficient ?? 0;
    carried = Math.floor(constant / b);
    inside = subDim(inside, carried * b);
  }
  const [low, high] = bounds(inside);
  if (typeof b === 'number' && Math.floor(low / b) === Math.floor(high / b))
    return addDim(addDim(outside, carried), Math.floor(low / b));
  // floor(-x/b) is -floor((x + b - 1)/b): one way to say a division rounded up.
  if (typeof b === 'number' && b > 0 && terms(inside)[0]!.coefficient < 0) {
    return subDim(addDim(outside, carried), floorDivDim(addDim(mulDim(inside, -1), b - 1), b));
  }
  const inner = typeof b === 'number' && b > 0 ? divisionIn(inside) : undefined;
  if (inner)
    return addDim(
      addDim(outside, carried),
      floorDivDim(inner.numerator, inner.divisor * (b as number)),
    );
  const opaque = new SymbolicDim([
    { coefficient: 1, factors: [{ kind: 'floordiv', left: inside, right: b }] },
  ]);
  return addDim(addDim(outside, carried), opaque);
}

/**
 * What a dimension is the floor of, when it is a floor division by a positive number, plus a
 * number: floor(x/c) + d is floor((x + c*d)/c).
 */
function divisionIn(dim: Dim): { numerator: Dim; divisor: number } | undefined {
  const [first, constant, ...more] = terms(dim);
  const [factor, ...others] = first?.factors ?? [];
  if (
    factor?.kind !== 'floordiv' ||
    others.length > 0 ||
    first!.coefficient !== 1 ||
    more.length > 0
  )
    return undefined;
  if (
    (constant && constant.factors.length > 0) ||
    typeof factor.right !== 'number' ||
    factor.right <= 0
  )
    return undefined;
  return {
    numerator: addDim(factor.left, factor.right * (constant?.coefficient ?? 0)),
    divisor: factor.right,
  };
}

/** ceil(a / b). */
export function ceilDivDim(a: Dim, b: Dim): Dim {
  return mulDim(floorDivDim(mulDim(a, -1), b), -1);
}

/** a modulo b, with the sign of b. */
export function modDim(a: Dim, b: Dim): Dim {
  return subDim(a, mulDim(floorDivDim(a, b), b));
}

function extremum(kind: 'min' | 'max', a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number')
    return kind === 'min' ? Math.min(a, b) : Math.max(a, b);
  const [low, high] = bounds(subDim(a, b));
  if (low >= 0) return kind === 'min' ? b : a;
  if (high <= 0) return kind === 'min' ? a : b;
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const inner = extremumOf(one);
    // min(x, max(x, y)) is x, and min(x, min(x, y)) is the inner one.
    if (inner && (sameDim(inner.left, other) || sameDim(inner.right, other)))
      return inner.kind === kind ? one : other;
  }
  const [left, right] = dimKey(a) < dimKey(b) ? [a, b] : [b, a];
  return new SymbolicDim([{ coefficient: 1, factors: [{ kind, left, right }] }]);
}

/** The minimum or maximum that a dimension is, if it is one. */
function extremumOf(dim: Dim): (Factor & { kind: 'min' | 'max' }) | undefined {
  if (typeof dim === 'number' || dim.terms.length !== 1) return undefined;
  const [term] = dim.terms;
  const [factor, ...more] = term!.factors;
  return term!.coefficient === 1 &&
    more.length === 0 &&
    (factor?.kind === 'min' || factor?.kind === 'max')
    ? (factor as Factor & { kind: 'min' | 'max' })
    : undefined;
}

/** The smaller of two dimensions; resolved when the bounds decide. */
export function minDim(a: Dim, b: Dim): Dim {
  return extremum('min', a, b);
}

/** The larger of two dimensions; resolved when the bounds decide. */
export function maxDim(a: Dim, b: Dim): Dim {
  return extremum('max', a, b);
}

/**
 * Inclusive bounds by interval arithmetic: a named dimension is at least 1, one that depends on
 * data (its name begins with `?`) at least 0.
 */
export function bounds(dim: Dim): readonly [number, number] {
  if (typeof dim === 'number') return [dim, dim];
  let low = 0;
  let high = 0;
  for (const { coefficient, factors } of dim.terms) {
    const [l, h] = factors
      .map(factorBounds)
      .reduce<readonly [number, number]>(productBounds, [1, 1]);
    low += coefficient > 0 ? coefficient * l : coefficient * h;
    high += coefficient > 0 ? coefficient * h : coefficient * l;
  }
  return [low, high];
}

function productBounds(
  [a, b]: readonly [number, number],
  [c, d]: readonly [number, number],
): readonly [number, number] {
  const corners = [times(a, c), times(a, d), times(b, c), times(b, d)];
  return [Math.min(...corners), Math.max(...corners)];
}

/** 0 times infinity is 0 here: the bound of a factor that is 0. */
function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}

function factorBounds(factor: Factor): readonly [number, number] {
  if (factor.kind === 'symbol') return [factor.name.startsWith('?') ? 0 : 1, Infinity];
  const [a, b] = bounds(factor.left);
  const [c, d] = bounds(factor.right);
  if (factor.kind === 'min') return [Math.min(a, c), Math.min(b, d)];
  if (factor.kind === 'max') return [Math.max(a, c), Math.max(b, d)];
  if (c <= 0) return [-Infinity, Infinity];
  return [Math.floor(a >= 0 ? a / d : a / c), Math.floor(b >= 0 ? b / c : b / d)];
}

/**
 * How to compute a dimension in another domain: numbers at run time, nodes of a graph, terms of a
 * foreign language.
 */
export interface DimAlgebra<T> {
  constant(value: number): T;
  symbol(name: string): T;
  add(a: T, b: T): T;
  mul(a: T, b: T): T;
  floordiv(a: T, b: T): T;
  min(a: T, b: T): T;
  max(a: T, b: T): T;
}

/** Computes a dimension in another domain. */
export function foldDim<T>(dim: Dim, algebra: DimAlgebra<T>): T {
  if (typeof dim === 'number') return algebra.constant(dim);
  const products = dim.terms.map(({ coefficient, factors }) => {
    const values = factors.map((factor) =>
      factor.kind === 'symbol'
        ? algebra.symbol(factor.name)
        : algebra[factor.kind](foldDim(factor.left, algebra), foldDim(factor.right, algebra)),
    );
    if (coefficient !== 1 || values.length === 0) values.push(algebra.constant(coefficient));
    return values.reduce((a, b) => algebra.mul(a, b));
  });
  return products.reduce((a, b) => algebra.add(a, b));
}

/** The value of a dimension when named dimensions have values; undefined if one is missing. */
export function evaluateDim(dim: Dim, values: ReadonlyMap<string, number>): number | undefined {
  const value = foldDim<number>(dim, {
    constant: (x) => x,
    symbol: (name) => values.get(name) ?? NaN,
    add: (a, b) => a + b,
    mul: (a, b) => a * b,
    floordiv: (a, b) => Math.floor(a / b),
    min: Math.min,
    max: Math.max,
  });
  return Number.isNaN(value) ? undefined : value;
}

/**
 * A dimension with named dimensions replaced by other dimensions; those that are not in the map
 * stay.
 */
export function substituteDim(dim: Dim, values: ReadonlyMap<string, Dim>): Dim {
  return foldDim<Dim>(dim, {
    constant: (x) => x,
    symbol: (name) => values.get(name) ?? symbol(name),
    add: addDim,
    mul: mulDim,
    floordiv: floorDivDim,
    min: minDim,
    max: maxDim,
  });
}

/** The name of a dimension that is nothing but a name. */
export function symbolName(dim: Dim): string | undefined {
  if (typeof dim === 'number' || dim.terms.length !== 1) return undefined;
  const { coefficient, factors } = dim.terms[0]!;
  const [factor] = factors;
  return coefficient === 1 && factors.length === 1 && factor!.kind === 'symbol'
    ? factor!.name
    : undefined;
}

/** Names of the dimensions that an expression rests on. */
export function symbolsOf(dim: Dim): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (d: Dim): void => {
    if (typeof d === 'number') return;
    for (const { factors } of d.terms) {
      for (const factor of factors) {
        if (factor.kind === 'symbol') names.add(factor.name);
        else [factor.left, factor.right].forEach(visit);
      }
    }
  };
  visit(dim);
  return names;
}

/** Number of elements of a shape. */
export function productOf(shape: Shape): Dim {
  return shape.reduce<Dim>(mulDim, 1);
}

/** Whether every dimension is a number. */
export function isStatic(shape: Shape): shape is readonly number[] {
  return shape.every((dim) => typeof dim === 'number');
}
