import type { Node } from '../graph/node.js';
import type { Tensor } from '../tensor/tensor.js';

/** One of the bodies that a step is in. */
export interface PathEntry {
  /** The node that has the body. */
  readonly node: Node;
  /** The operator's name of the body: `body`, `then`, `else`. */
  readonly body: string;
  /** How many times the node had run the body before: the trip of a loop, counted from 0. */
  readonly trip: number;
}

/** One node's work: the tensors it was given and what it made. */
export interface Step {
  readonly node: Node;
  /** The bodies around the node, the outermost first; empty for a node of the graph itself. */
  readonly path: readonly PathEntry[];
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
  /** What a correct float implementation of the node may lose here, in units in the last place. */
  readonly ulp: number;
}
