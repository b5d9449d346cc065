import type { Node } from '../graph/node.js';
import type { Rounding } from '../ops/rounding.js';
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
  /** How far a correct float implementation of the node may be off its outputs. */
  readonly rounding: Rounding;
  /**
   * Whether a result jumps where a float operand passes a place: it is a comparison, an index, a
   * rounded number.
   */
  readonly jumps: boolean;
}
