import { isFloat, sizeOf, toNumbers, type Graph, type Weight } from '@drover/core';
import { constantsOf } from './constants.js';
import { storageStepOf } from './storage-step.js';

/** A tensor of the first model that the second has as well, but for a few elements. */
export interface NearCopy {
  /** Names of the tensors where they are stored. */
  readonly first: string;
  readonly second: string;
  readonly elements: number;
  /** How many of its elements are not in the other, and by how much the furthest is off. */
  readonly differing: number;
  readonly most: number;
}

/** How far elements may be off by the way that a tensor is stored, up to a largest one. */
function coarseness(weight: Weight, largest: number): number {
  const step = storageStepOf(weight);
  return step ? step.absolute + step.relative * largest : 0;
}

/** Tensors of fewer elements look alike by chance. */
const leastElements = 16;
/** The largest share of elements in which a tensor may differ and be taken for a copy. */
const mostDiffering = 1 / 16;
/** Elements that are this share of the largest apart are rounded otherwise, and no other. */
const rounding = 2 ** -20;

/** How many hashes of elements are kept of a tensor. */
const sketchSize = 256;
/** Copies share most of them, and other tensors next to none. */
const leastCommon = 1 / 4;

/** A stored tensor, and what is known of its elements whatever their order. */
interface Print {
  readonly weight: Weight;
  /** A hash of all elements. */
  readonly key: string;
  /** The least hashes of single elements. */
  readonly sketch: ReadonlySet<number>;
}

/** The constants of floats that a graph stores, each of them read once. */
export class StoredWeights {
  private constructor(private readonly prints: readonly Print[]) {}

  static async of(graph: Graph): Promise<StoredWeights> {
    const prints: Print[] = [];
    for (const { constant } of constantsOf(graph))
      if (isFloat(constant!.dtype) && sizeOf(constant!.shape) > 0)
        prints.push(printOf(constant!, toNumbers(await constant!.tensor())));
    return new StoredWeights(prints);
  }

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.prints.length === 0;
  }

  /** Whether there is all that others hold, in whatever order of the elements of each. */
  holds(others: StoredWeights): boolean {
    const keys = this.#keys();
    return others.prints.every(({ key }) => keys.has(key));
  }

  /**
   * Tensors that are stored here and among others, in whatever order of elements, and that are not
   * the same in a few of them, by more than the way they are stored explains. Inputs that do not
   * bring such an element to bear cannot tell; the numbers do.
   */
  async nearCopies(others: StoredWeights): Promise<NearCopy[]> {
    const left = this.#without(others);
    const right = others.#without(this);
    const found: NearCopy[] = [];
    for (const print of left) {
      const alike = right.filter((other) => isAlike(print, other));
      if (alike.length === 0) continue;
      const values = await sorted(print.weight);
      for (const { weight } of alike) {
        const copy = copyOf(print.weight, values, weight, await sorted(weight));
        if (copy) found.push(copy);
      }
    }
    return found;
  }

  #keys(): ReadonlySet<string> {
    return new Set(this.prints.map(({ key }) => key));
  }

  /** Tensors large enough to tell apart that others do not hold as they are. */
  #without(others: StoredWeights): Print[] {
    const keys = others.#keys();
    return this.prints.filter(
      ({ weight, key }) => sizeOf(weight.shape) >= leastElements && !keys.has(key),
    );
  }
}

/** Whether one may be a copy of the other: of one size, and with elements in common. */
function isAlike(a: Print, b: Print): boolean {
  if (sizeOf(a.weight.shape) !== sizeOf(b.weight.shape)) return false;
  let common = 0;
  for (const hash of a.sketch) if (b.sketch.has(hash)) common++;
  return common >= leastCommon * Math.min(a.sketch.size, b.sketch.size);
}

/** The near copy that two tensors are, given their elements in order; undefined for others. */
function copyOf(
  first: Weight,
  values: Float32Array,
  second: Weight,
  others: Float32Array,
): NearCopy | undefined {
  const elements = values.length;
  const { count, most } = compare(values, others);
  if (count === 0 || count > mostDiffering * elements) return undefined;
  const largest = Math.max(Math.abs(values[0]!), Math.abs(values.at(-1)!));
  const steps = [first, second].map((each) => coarseness(each, largest));
  if (most <= Math.max(rounding * largest, ...steps)) return undefined;
  return { first: first.name ?? '', second: second.name ?? '', elements, differing: count, most };
}

/**
 * Hashes that the order of elements does not change: two sums over mixed bits of float32, and a
 * bottom-k sketch of the elements (Broder 1997, On the resemblance and containment of documents).
 */
function printOf(weight: Weight, values: Float64Array): Print {
  const floats = Float32Array.from(values);
  const bits = new Uint32Array(floats.buffer);
  let [a, b] = [0, 0];
  let [sketch, bound] = [new Set<number>(), 2 ** 32];
  for (let i = 0; i < bits.length; i++) {
    // Zeros are one number.
    let x = floats[i] === 0 ? 0 : bits[i]!;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    a = (a + x) | 0;
    b = (b + Math.imul(x, x | 1)) | 0;
    if (x >>> 0 >= bound) continue;
    sketch.add(x >>> 0);
    if (sketch.size >= 2 * sketchSize) {
      sketch = leastOf(sketch);
      bound = Math.max(...sketch);
    }
  }
  return { weight, key: `${values.length} ${a} ${b}`, sketch: leastOf(sketch) };
}

const leastOf = (hashes: ReadonlySet<number>) =>
  new Set([...hashes].sort((a, b) => a - b).slice(0, sketchSize));

const sorted = async (weight: Weight) => Float32Array.from(toNumbers(await weight.tensor())).sort();

/** How many numbers of one sorted list are not in the other, and how far the furthest pair is. */
function compare(a: Float32Array, b: Float32Array): { count: number; most: number } {
  const [onlyA, onlyB]: [number[], number[]] = [[], []];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && a[i]! < b[j]!)) onlyA.push(a[i++]!);
    else onlyB.push(b[j++]!);
    if (onlyA.length > a.length * mostDiffering) return { count: a.length, most: Infinity };
  }
  const most = onlyA.reduce((worst, x, at) => Math.max(worst, Math.abs(x - onlyB[at]!)), 0);
  return { count: onlyA.length, most };
}
