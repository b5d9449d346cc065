import type { InputSpec } from './input-spec.js';

/**
 * Sizes that free dimensions take: batches are small, and other axes large enough for a window to
 * slide.
 */
const smallPrimes = [2, 3, 5, 7, 11, 13];
const primes = [
  7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
];

/**
 * The shapes that inputs take: `sizes` tells free dimensions by symbol or by `NAME[AXIS]`, and
 * those that it does not tell become pairwise different primes that no other dimension has, because
 * equal sizes hide layout errors.
 */
export function chooseShapes(
  specs: readonly InputSpec[],
  sizes: ReadonlyMap<string, number>,
): number[][] {
  const taken = new Set(
    specs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === 'number')),
  );
  const chosen = new Map(sizes);
  for (const size of sizes.values()) taken.add(size);
  const choose = (key: string, axis: number) => {
    const size =
      chosen.get(key) ??
      (axis === 0 ? [...smallPrimes, ...primes] : primes).find((prime) => !taken.has(prime)) ??
      nextPrime(taken);
    taken.add(size);
    chosen.set(key, size);
    return size;
  };
  return specs.map(({ name, shape }) =>
    shape.map((dim, axis) =>
      typeof dim === 'number' ? dim : sized(dim, `${name}[${axis}]`, axis),
    ),
  );

  function sized(symbol: string | null, place: string, axis: number): number {
    const given = sizes.get(place);
    return given ?? choose(symbol ?? place, axis);
  }
}

function nextPrime(taken: ReadonlySet<number>): number {
  for (let n = 101; ; n += 2) {
    let divisor = 3;
    while (divisor * divisor <= n && n % divisor !== 0) divisor += 2;
    if (divisor * divisor > n && !taken.has(n)) return n;
  }
}

/**
 * Sizes of free dimensions, to be tried in turn: primes show every mistaken layout; networks that
 * halve and double their images need powers of two in them.
 */
export function sizings(specs: readonly InputSpec[]): readonly ReadonlyMap<string, number>[] {
  return [new Map(), evenSizes(specs)];
}

/** Different multiples of 32 for the free dimensions behind the first, which is a batch. */
function evenSizes(specs: readonly InputSpec[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, shape } of specs) {
    shape.forEach((dim, axis) => {
      const key = dim ?? `${name}[${axis}]`;
      if (axis > 0 && typeof key === 'string' && !sizes.has(key))
        sizes.set(key, 32 * (sizes.size + 2));
    });
  }
  return sizes;
}
