import type { Graph } from './graph.js';

/** How often each name occurs, in the order of the first. */
export function tally(names: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** A model: a graph and what goes with it. */
export interface Model {
  readonly graph: Graph;
  /** Format it was read from, and that format's versions (`{ ir: '8', opset: '17' }`). */
  readonly format: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Program that wrote it, as far as it says. */
  readonly producer: string;
  /**
   * How many nodes of each operator the file has, functions and bodies counted once, by the names
   * that the format has for them.
   */
  readonly operators: ReadonlyMap<string, number>;
  /** File it was read from, as the user named it. */
  readonly file: string;
  /** The source's own metadata: name to text. */
  readonly metadata: ReadonlyMap<string, string>;
}
