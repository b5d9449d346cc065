import type { Shape } from '../tensor/dim.js';

/**
 * One step from a graph into what stands inside one of its nodes: a body of a loop or a branch, or
 * the function that a node calls.
 */
export interface PathStep {
  /** The source's name of the node, and its operator. */
  readonly node: string;
  readonly op: string;
  /**
   * Which of its bodies: the attribute that holds it in the source. undefined: the node is a call,
   * and its operator the function.
   */
  readonly body: string | undefined;
}

/** Where a node comes from in the source model. */
export interface NodeOrigin {
  /** File that the model was read from, as the user named it. */
  readonly file: string;
  /** The way from the main graph to the graph that the node stands in. */
  readonly path: readonly PathStep[];
  /** The source's name of the node. */
  readonly node: string;
  /** The source's operator, as its format spells it. */
  readonly op: string;
  /** The module of the program that it computes, where the source tells: `layer1.0.conv`. */
  readonly scope?: string | undefined;
}

/**
 * The name of a node for people: the nodes of one function are told apart by the calls, as
 * `encoder/attention/softmax`.
 */
export function nameOf({ path, node }: NodeOrigin): string {
  const calls = path.filter(({ body }) => body === undefined).map((step) => step.node);
  return [...calls, node].join('/');
}

/**
 * How a value relates to the source's: it is the `same`, seen through a view; it is a `part` of
 * what computes the node's results; or several values of the source, found to be equal, are
 * `merged` in it.
 */
export type Relation = 'same' | 'part' | 'merged';

/** How the elements of a value lie against those of the source's value. */
export interface View {
  /** Dimension i is dimension perm[i] of the source's value. */
  readonly perm?: readonly number[];
  /** The source's shape, where the same elements in the same order have another one here. */
  readonly shape?: Shape;
}

/** Where a value comes from in the source model. */
export interface ValueOrigin {
  readonly file: string;
  /** The source's name of the value; of a part, the name of its node. */
  readonly name: string;
  /** The node that makes it; undefined for inputs and stored tensors. */
  readonly node: NodeOrigin | undefined;
  /** Which result of the node. */
  readonly output: number;
  readonly relation: Relation;
  readonly view?: View | undefined;
  /** The other values of the source that a merged one is. */
  readonly also?: readonly ValueOrigin[];
}

/** The origin of an input or of a stored tensor of the source. */
export const valueOf = (file: string, name: string): ValueOrigin => ({
  file,
  name,
  node: undefined,
  output: 0,
  relation: 'same',
});

/** The origin of a result of a node of the source, under the source's name for it. */
export const resultOf = (node: NodeOrigin, output: number, name: string): ValueOrigin => ({
  file: node.file,
  name,
  node,
  output,
  relation: 'same',
});

/** The origin of a value that takes part in computing the results of a node of the source. */
export const partOf = (node: NodeOrigin, output: number): ValueOrigin => ({
  file: node.file,
  name: node.node,
  node,
  output,
  relation: 'part',
});

/** The origin of a value with one origin that also takes the place of one with another. */
export function mergedOrigin(kept: ValueOrigin, other: ValueOrigin): ValueOrigin {
  if (other.relation === 'part' || kept === other) return kept;
  if (kept.relation === 'part') return other;
  return { ...kept, relation: 'merged', also: [...(kept.also ?? []), other] };
}

/** The origin of a value whose dimension i is dimension perm[i] of one with an origin. */
export function permutedOrigin(origin: ValueOrigin, perm: readonly number[]): ValueOrigin {
  const { view } = origin;
  // A permutation of another shape is no permutation of the source's: what is left is a part.
  if (view?.shape) return { ...origin, relation: 'part', view: undefined };
  const before = view?.perm ?? perm.map((_, i) => i);
  const after = perm.map((p) => before[p]!);
  return { ...origin, view: after.every((p, i) => p === i) ? undefined : { perm: after } };
}

/** The origin of a value with the elements of one with an origin, which has the shape `from`. */
export function reshapedOrigin(origin: ValueOrigin, from: Shape): ValueOrigin {
  const { view } = origin;
  if (view?.perm) return { ...origin, relation: 'part', view: undefined };
  return { ...origin, view: { shape: view?.shape ?? from } };
}
