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

/**
 * Tensors that both models store, in whatever order of elements, and that are not the same in a few
 * of them, by more than the way they are stored explains. Inputs that do not bring such an element
 * to bear cannot tell; the numbers do.
 */
export async function nearCopies(first: Graph, second: Graph): Promise<NearCopy[]> {
  const [own, other] = await Promise.all(
    [first, second].map((graph) => fingerprints(graph, leastElements)),
  );
  const left = [...own!].flatMap(([key, weights]) => (other!.has(key) ? [] : weights));
  const right = [...other!].flatMap(([key, weights]) => (own!.has(key) ? [] : weights));
  const found: NearCopy[] = [];
  for (const weight of left) {
    const count = sizeOf(weight.shape);
    const candidates = right.filter(({ shape }) => sizeOf(shape) === count);
    if (candidates.length === 0) continue;
    const values = await sorted(weight);
    for (const candidate of candidates) {
      const difference = compare(values, await sorted(candidate));
      if (difference.count === 0 || difference.count > mostDiffering * count) continue;
      const largest = Math.max(Math.abs(values[0]!), Math.abs(values.at(-1)!));
      const steps = [weight, candidate].map((each) => coarseness(each, largest));
      if (difference.most <= Math.max(rounding * largest, ...steps)) continue;
      found.push({
        first: weight.name ?? '',
        second: candidate.name ?? '',
        elements: count,
        differing: difference.count,
        most: difference.most,
      });
    }
  }
  return found;
}

/**
 * Whether another graph stores what the constants of floats of a graph hold, in whatever order of
 * their elements.
 */
export async function isStoredIn(graph: Graph, other: Graph): Promise<boolean> {
  const [own, others] = [await fingerprints(graph, 1), await fingerprints(other, 1)];
  return [...own.keys()].every((key) => others.has(key));
}

/** Constants of floats by what they hold in any order. */
async function fingerprints(graph: Graph, least: number): Promise<Map<string, Weight[]>> {
  const found = new Map<string, Weight[]>();
  for (const { constant } of constantsOf(graph)) {
    const weight = constant!;
    if (!isFloat(weight.dtype) || sizeOf(weight.shape) < least) continue;
    const key = fingerprint(toNumbers(await weight.tensor()));
    found.set(key, [...(found.get(key) ?? []), weight]);
  }
  return found;
}

/** A hash that the order of elements does not change: two sums over mixed bits of float32. */
function fingerprint(values: Float64Array): string {
  const floats = Float32Array.from(values);
  const bits = new Uint32Array(floats.buffer);
  let [a, b] = [0, 0];
  for (let i = 0; i < bits.length; i++) {
    // Zeros are one number.
    let x = floats[i] === 0 ? 0 : bits[i]!;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    a = (a + x) | 0;
    b = (b + Math.imul(x, x | 1)) | 0;
  }
  return `${values.length} ${a} ${b}`;
}

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
