import type { LayerName } from './layer.js';

const plain = (path: readonly string[]) => path.map((each) => each.toLowerCase());

/**
 * How far two names say that they are one layer's: one is the end of the other, as what wraps a
 * module (`module.`, `_orig_mod.`, `model.`) stands before its name. 0: they do not. Of several,
 * the longer match tells more.
 */
function likeness(a: LayerName, b: LayerName): number {
  const [short, long] = [plain(a.path), plain(b.path)].toSorted((x, y) => x.length - y.length);
  const start = long!.length - short!.length;
  if (short!.length === 0 || !short!.every((each, i) => each === long![start + i])) return 0;
  // Bare numbers are places in lists that are alike everywhere.
  if (start > 0 && short!.every((each) => /^\d+$/.test(each))) return 0;
  return Math.min(a.trust, b.trust + 2) * (1 + short!.length / 100) - start / 1000;
}

/** How far the names of two layers say that they are one: 0 where none is the end of another. */
export function nameLikeness(a: readonly LayerName[], b: readonly LayerName[]): number {
  let most = 0;
  for (const x of a) for (const y of b) most = Math.max(most, likeness(x, y));
  return most;
}
