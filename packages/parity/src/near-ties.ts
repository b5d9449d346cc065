import { toNumbers, type Tensor } from '@drover/core';
import { errorOf, type ErrorSize } from './error-size.js';
import type { Tie } from './monte-carlo.js';
import { tieAmplitude, type Oracle } from './oracle.js';

/** Runs with errors that results are held against: as large as expected, and as may be at most. */
const samples = 4;
/** The most elements that are traced to ties one by one, and the runs that are tried for it. */
const mostTraced = 16;
const mostRuns = 16;

/**
 * Errors of an output of floats in runs where results jump as rounding has it: the largest of a few
 * runs with errors of the `amplitude`.
 */
export async function errorWithTies(
  oracle: Oracle,
  name: string,
  amplitude: 'expected' | 'largest',
): Promise<ErrorSize> {
  const exact = oracle.outputs.get(name)!;
  let [rms, max] = [0, 0];
  for (let seed = 0; seed < samples; seed++) {
    const run = await oracle.another(seed, amplitude === 'expected' ? 1 : tieAmplitude);
    const error = errorOf(run.get(name)!, exact);
    [rms, max] = [Math.max(rms, error.rms), Math.max(max, error.max)];
  }
  return { rms, max };
}

/**
 * Whether as many elements of an output that has to be equal turn as rounding turns anyway, and as
 * far: so do the codes of a quantised network.
 */
export async function turnsAsExpected(
  oracle: Oracle,
  name: string,
  target: Tensor,
): Promise<boolean> {
  const exact = oracle.outputs.get(name)!;
  const own = turned(target, exact);
  let [count, most] = [0, 0];
  for (let seed = 0; seed < samples; seed++) {
    const other = turned((await oracle.another(seed, 1)).get(name)!, exact);
    [count, most] = [Math.max(count, other.places.length), Math.max(most, other.most)];
  }
  return own.places.length <= 1.5 * count && own.most <= most;
}

/**
 * Whether every element that is not the exact one is what a run with the largest errors gives
 * there, or the whole output is what one gives.
 */
export async function isNearTie(oracle: Oracle, name: string, target: Tensor): Promise<boolean> {
  const exact = oracle.outputs.get(name)!;
  const isSameShape = target.shape.join() === exact.shape.join();
  const places = isSameShape ? turned(target, exact).places : [];
  if (places.length > mostTraced) return false;
  const open = new Set(places);
  for (let seed = 0; seed < mostRuns; seed++) {
    const other = (await oracle.another(seed, tieAmplitude)).get(name)!;
    if (other.shape.join() !== target.shape.join()) continue;
    if (!isSameShape) {
      if (turned(target, other).places.length === 0) return true;
      continue;
    }
    for (const place of open) if (other.data[place]! == target.data[place]!) open.delete(place);
    if (open.size === 0) return true;
  }
  return false;
}

/** What is said of a tie: its node, and the element of its result. */
export function describeTie({ node, element, path }: Tie): string {
  const where = path.length > 0 ? ` in ${path.map((entry) => entry.node.name).join(', ')}` : '';
  return `${node.op.name} ${JSON.stringify(node.name)}${where}, element ${element}`;
}

/** Elements that are not equal, and how far the furthest is off. */
function turned(actual: Tensor, exact: Tensor): { places: number[]; most: number } {
  const places: number[] = [];
  let most = 0;
  const [a, e] =
    actual.dtype === 'string' ? [undefined, undefined] : [toNumbers(actual), toNumbers(exact)];
  for (let i = 0; i < exact.data.length; i++) {
    if (actual.data[i]! == exact.data[i]!) continue;
    places.push(i);
    most = Math.max(most, a && e ? Math.abs(a[i]! - e[i]!) : Infinity);
  }
  return { places, most };
}
