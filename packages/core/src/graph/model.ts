import type { Graph } from './graph.js';

/** A model: a graph and what goes with it. */
export interface Model {
  readonly graph: Graph;
  /** Format it was read from, and that format's versions (`{ ir: '8', opset: '17' }`). */
  readonly format: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Program that wrote it, as far as it says. */
  readonly producer: string;
  /** File it was read from, as the user named it. */
  readonly file: string;
  /** The source's own metadata: name to text. */
  readonly metadata: ReadonlyMap<string, string>;
}
