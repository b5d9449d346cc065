import type { Weight } from '@drover/core';
import type { Parts } from './layer.js';

const known = new WeakMap<Weight, Promise<string>>();

/** A digest of type, shape and elements. Reads them, once. */
export function digestOf(weight: Weight): Promise<string> {
  const digest = known.get(weight) ?? compute(weight);
  known.set(weight, digest);
  return digest;
}

async function compute(weight: Weight): Promise<string> {
  const bytes = (await weight.bytes()) as Uint8Array<ArrayBuffer>;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return JSON.stringify([weight.dtype, weight.shape, digest.join()]);
}

/** A digest of all parts of a layer by their roles; see {@link digestOf}. */
export async function digestOfParts(parts: Parts): Promise<string> {
  const texts = [...parts].map(async ([role, weight]) => `${role} ${await digestOf(weight)}`);
  return (await Promise.all(texts)).toSorted().join(' ');
}
