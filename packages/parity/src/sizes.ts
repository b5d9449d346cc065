import {
  DroverError,
  evaluateDim,
  Evaluator,
  ops,
  tensor,
  type Graph,
  type Tensor,
  type Value,
} from '@drover/core';
import type { InputSpec } from './input-spec.js';
import { ShapeCheck } from './shape-check.js';

/** Sizes of free dimensions, by symbol or by `NAME[AXIS]`. */
export type Sizes = ReadonlyMap<string, number>;

/** Batches are small, and other axes large enough for a window to slide. */
const smallPrimes = [2, 3, 5, 7, 11, 13];
const leastInner = 7;
/**
 * The shapes that inputs take: `sizes` tells free dimensions by symbol or by `NAME[AXIS]`, and
 * those that it does not tell become pairwise different primes that no other dimension has, because
 * equal sizes hide layout errors.
 */
export function chooseShapes(specs: readonly InputSpec[], sizes: Sizes): number[][] {
  const free = freeDimensions(specs, sizes);
  const taken = new Set([...statedSizes(specs), ...sizes.values()]);
  const chosen = new Map([...differentPrimes(free, leastInner - 1, taken), ...sizes]);
  return specs.map(({ name, shape }) =>
    shape.map((dim, axis) => {
      const place = `${name}[${axis}]`;
      return typeof dim === 'number' ? dim : (sizes.get(place) ?? chosen.get(dim ?? place)!);
    }),
  );
}

const statedSizes = (specs: readonly InputSpec[]) =>
  specs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === 'number'));

/** The first prime from an odd number on that will do. */
function nextPrime(from: number, fits: (n: number) => boolean): number {
  for (let n = from; ; n += 2) {
    let divisor = 3;
    while (divisor * divisor <= n && n % divisor !== 0) divisor += 2;
    if (divisor * divisor > n && fits(n)) return n;
  }
}

/** A free dimension of the inputs: its key, and whether it is a leading one, which is a batch. */
interface Free {
  readonly key: string;
  readonly isLeading: boolean;
}

function freeDimensions(specs: readonly InputSpec[], given: Sizes): Free[] {
  const found = new Map<string, Free>();
  for (const { name, shape } of specs)
    shape.forEach((dim, axis) => {
      const place = `${name}[${axis}]`;
      const key = dim ?? place;
      if (typeof key !== 'string' || given.has(key) || given.has(place)) return;
      const isLeading = axis === 0 && (found.get(key)?.isLeading ?? true);
      found.set(key, { key, isLeading });
    });
  return [...found.values()];
}

/**
 * How often sizes are doubled until the graph suits them, what lies between the last that did not
 * and the first that does, and up to where every size is tried.
 */
const mostDoublings = 8;
const between = [9 / 16, 10 / 16, 11 / 16, 12 / 16, 13 / 16, 14 / 16, 15 / 16];
const mostEqual = 512;
const mostDifferent = 40;

/**
 * Sizes of the free dimensions, to be tried in turn until the model takes them. They suit the graph
 * as far as its expressions and the constraints of its operators tell, and are as small as that
 * allows: with the leading dimensions of all inputs equal, which are batches, and the others
 * different primes, which show every mistaken layout; then different and equal multiples of 32,
 * which networks need that halve and double their images; then all different, all equal, and
 * whatever small sizes suit. `batch` is the size of the leading dimensions.
 */
export function sizings(
  specs: readonly InputSpec[],
  graph: Graph,
  { given = new Map(), batch = 2 }: { readonly given?: Sizes; readonly batch?: number } = {},
): readonly Sizes[] {
  const free = freeDimensions(specs, given);
  if (free.length === 0) return [given];
  const check = new ShapeCheck(graph);
  const found = new Map<string, Sizes>();
  const suiting = (entries: Entries) => {
    const sizes = new Map([...given, ...entries]);
    return check.suits(symbolsFrom(specs, sizes, graph)) ? sizes : undefined;
  };
  for (const way of waysOf(specs, free, batch)) {
    const sizes = typeof way === 'function' ? scaled(way, suiting) : firstOf(way, suiting);
    if (sizes) found.set(JSON.stringify([...sizes].sort()), sizes);
  }
  // Sizes that are given may leave none that suits; the model says why it does not take them.
  return found.size > 0 ? [...found.values()] : [given];
}

type Entries = readonly (readonly [string, number])[];

/** Sizes in turn, or those for a scale from 1 on. */
type Way = Iterable<Entries> | ((scale: number) => Entries);

/** The first result that is there. */
function firstOf<T, U>(all: Iterable<T>, find: (each: T) => U | undefined): U | undefined {
  for (const each of all) {
    const found = find(each);
    if (found) return found;
  }
  return undefined;
}

/** The smallest scale that does, roughly: by doubling it, and then between the last two. */
function scaled<U>(
  way: (scale: number) => Entries,
  find: (entries: Entries) => U | undefined,
): U | undefined {
  for (let scale = 1, doublings = 0; doublings < mostDoublings; doublings++, scale *= 2) {
    const found = find(way(scale));
    if (!found) continue;
    const smaller = scale > 1 && firstOf(between, (share) => find(way(scale * share)));
    return smaller || found;
  }
  return undefined;
}

/** Ways to choose sizes, each from the smallest up: the first that suits is taken of each. */
function* waysOf(
  specs: readonly InputSpec[],
  free: readonly Free[],
  batch: number,
): Generator<Way> {
  const inner = free.filter(({ isLeading }) => !isLeading);
  const batches = free
    .filter(({ isLeading }) => isLeading)
    .map(({ key }): [string, number] => [key, batch]);
  const taken = new Set(statedSizes(specs));
  const withBatches = new Set([...taken, batch]);
  const equal = (size: number, keys: readonly Free[]) =>
    keys.map(({ key }) => [key, size] as const);
  yield (scale) => [
    ...batches,
    ...differentPrimes(inner, Math.floor((leastInner - 1) * scale), withBatches),
  ];
  if (inner.length === 2) yield pairs(inner, batches);
  yield (scale) => [
    ...batches,
    ...inner.map(({ key }, i) => [key, 32 * (Math.ceil(scale) + i + 1)] as const),
  ];
  yield (scale) => [...batches, ...equal(32 * Math.ceil(scale), inner)];
  yield Array.from({ length: mostEqual }, (_, i) => [...batches, ...equal(i + 2, inner)]);
  yield (scale) => differentPrimes(free, Math.floor((leastInner - 1) * scale), taken);
  yield Array.from({ length: mostEqual }, (_, i) => equal(i + 1, free));
}

/** Two different sizes, the smaller pairs first. */
function* pairs(
  [first, second]: readonly Free[],
  batches: readonly [string, number][],
): Generator<Entries> {
  for (let sum = 5; sum < 2 * mostDifferent; sum++)
    for (let a = 2; a < sum - 1; a++)
      if (2 * a !== sum) yield [...batches, [first!.key, a], [second!.key, sum - a]];
}

/** Pairwise different primes above a number that are not taken; batches stay small. */
function differentPrimes(
  free: readonly Free[],
  above: number,
  taken: ReadonlySet<number>,
): (readonly [string, number])[] {
  const used = new Set(taken);
  return free.map(({ key, isLeading }) => {
    const size = isLeading
      ? (smallPrimes.find((prime) => !used.has(prime)) ?? nextPrime(17, (n) => !used.has(n)))
      : nextPrime(above + 1 - (above % 2), (n) => !used.has(n));
    used.add(size);
    return [key, size] as const;
  });
}

/** Sizes by the graph's own symbols: those of unnamed dimensions go by their place. */
export function symbolsFrom(
  specs: readonly InputSpec[],
  sizes: Sizes,
  graph: Graph,
): Map<string, number> {
  const found = new Map(sizes);
  const shapes = chooseShapes(specs, sizes);
  graph.inputs.forEach((input, i) => {
    const at = specs.findIndex(({ name }) => name === input.name);
    const shape = shapes[at < 0 ? i : at];
    input.shape?.forEach((dim, axis) => {
      const size = shape?.[axis];
      if (typeof dim !== 'number' && size !== undefined) found.set(dim.key, size);
    });
  });
  return found;
}

/**
 * Which way each branch goes that sizes alone decide: its node's name and whether its condition is
 * true. Branches of the graph itself are looked at, not those within bodies.
 */
export async function branchesBySize(
  graph: Graph,
  specs: readonly InputSpec[],
  sizes: Sizes,
): Promise<ReadonlyMap<string, boolean>> {
  const symbols = symbolsFrom(specs, sizes, graph);
  const taken = new Map<string, boolean>();
  for (const node of graph.nodes) {
    if (!node.is(ops.If)) continue;
    const { condition } = node.operands;
    const given = knownBySize(condition, symbols);
    if (!given) continue;
    try {
      const [result] = await new Evaluator(graph, given, {
        wanted: [condition],
        sizes: symbols,
      }).run();
      taken.set(node.name, Boolean(result!.data[0]));
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
    }
  }
  return taken;
}

/**
 * What a value rests on, where that follows from sizes: the tensors of values before it whose
 * elements do. Undefined where it rests on an input's elements.
 */
function knownBySize(value: Value, symbols: Sizes): Map<Value, Tensor> | undefined {
  const given = new Map<Value, Tensor>();
  const seen = new Set<Value>();
  const visit = (each: Value): boolean => {
    if (seen.has(each) || each.constant) return true;
    seen.add(each);
    const elements = each.elements?.map((dim) => evaluateDim(dim, symbols));
    const shape = each.shape?.map((dim) => evaluateDim(dim, symbols));
    if (elements && shape && ![...elements, ...shape].includes(undefined)) {
      given.set(each, tensor(each.dtype, shape as number[], elements as number[]));
      return true;
    }
    return each.producer !== undefined && [...each.producer.dependencies()].every(visit);
  };
  return visit(value) ? given : undefined;
}

/** Sizes that are tried to reach a branch, in multiples of those of the first run. */
const reaches = [1 / 4, 1 / 2, 2, 4, 8, 16];

/**
 * Sizes of each of some runs: those of the first, with another batch in the second, and then those
 * that take a branch which the runs before do not, where sizes decide it.
 */
export async function sizesOfRuns(
  specs: readonly InputSpec[],
  graph: Graph,
  first: Sizes,
  given: Sizes = new Map(),
  count: number,
): Promise<Sizes[]> {
  const free = freeDimensions(specs, given);
  const scaledBy = (factor: number) =>
    new Map(
      [...first].map(([key, size]) => {
        const isFree = free.some((each) => each.key === key && !each.isLeading);
        return [key, isFree ? Math.max(1, Math.round(size * factor)) : size] as const;
      }),
    );
  const runs = [first];
  const check = new ShapeCheck(graph);
  const before = await branchesBySize(graph, specs, first);
  const missing = new Set([...before].map(([name, taken]) => `${name} ${!taken}`));
  for (const factor of missing.size > 0 ? reaches : []) {
    if (runs.length >= count) break;
    const sizes = scaledBy(factor);
    if (!check.suits(symbolsFrom(specs, sizes, graph))) continue;
    const taken = [...(await branchesBySize(graph, specs, sizes))].map(
      ([name, way]) => `${name} ${way}`,
    );
    if (!taken.some((way) => missing.has(way))) continue;
    for (const way of taken) missing.delete(way);
    runs.push(sizes);
  }
  const otherBatch = new Map(
    [...first].map(([key, size]) => {
      const isBatch = free.some((each) => each.key === key && each.isLeading);
      const other = size > 1 ? size - 1 : size + 1;
      return [key, isBatch ? other : size] as const;
    }),
  );
  for (let run = runs.length; run < count; run++) runs.push(run % 2 === 1 ? otherBatch : first);
  return runs;
}
