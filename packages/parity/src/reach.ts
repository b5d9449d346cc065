import { isFloat, ops, sizeOf, toNumbers, type Graph, type Node, type Step } from '@drover/core';
import { channelAxis } from '@drover/core/format';

/** A body of a node, such as a branch. */
export interface Body {
  readonly node: Node;
  /** The operator's name of it: `then`, `else`, `body`. */
  readonly name: string;
  readonly graph: Graph;
}

/** The channels of an activation, and how many of them were zero throughout. */
export interface DeadUnits {
  readonly node: Node;
  readonly units: number;
  readonly dead: number;
}

/** Gathers from the steps of evaluations what of a graph had a say: bodies, channels. */
export class Reach {
  readonly #entered = new Set<Graph>();
  /** For each activation, which of its channels were ever not zero. */
  readonly #alive = new Map<Node, Uint8Array>();

  /** Takes in one step of an evaluation. */
  add({ node, path, outputs }: Step): void {
    const inside = path.at(-1);
    if (inside) {
      const { graph } = new Map(Object.entries(inside.node.regions)).get(inside.body)!;
      this.#entered.add(graph);
    }
    const [result] = outputs;
    const axis = result && isFloat(result.dtype) ? unitAxis(node) : undefined;
    if (axis === undefined) return;
    const { shape } = result!;
    const [units, inner] = [shape[axis]!, sizeOf(shape.slice(axis + 1))];
    const alive = this.#alive.get(node) ?? new Uint8Array(units);
    const values = toNumbers(result!);
    for (let unit = 0; unit < units; unit++)
      if (!alive[unit] && isAlive(values, unit * inner, inner, units * inner)) alive[unit] = 1;
    this.#alive.set(node, alive);
  }

  /** Bodies of a graph's nodes that have nodes themselves and were not entered, the outer alone. */
  notEntered(graph: Graph): Body[] {
    const found: Body[] = [];
    for (const node of graph.nodes)
      for (const [name, { graph: body }] of Object.entries(node.regions))
        if (this.#entered.has(body)) found.push(...this.notEntered(body));
        else if ([...body.nodes].length > 0) found.push({ node, name, graph: body });
    return found;
  }

  /** The activations of convolutions and dense layers that were met. */
  deadUnits(): DeadUnits[] {
    return [...this.#alive].map(([node, alive]) => ({
      node,
      units: alive.length,
      dead: alive.filter((each) => each === 0).length,
    }));
  }
}

/** Whether a channel has an element that is not zero. */
function isAlive(values: Float64Array, first: number, inner: number, step: number): boolean {
  for (let from = first; from < values.length; from += step)
    for (let i = from; i < from + inner; i++) if (values[i] !== 0) return true;
  return false;
}

/**
 * The axis of the channels of an activation that can be zero throughout: one that follows a
 * convolution or a dense layer, and what is the same for a whole channel.
 */
function unitAxis(node: Node): number | undefined {
  if (!node.is(ops.Relu) && !node.is(ops.Clip)) return undefined;
  let value = node.operands.x;
  for (;;) {
    const { producer: by, rank } = value;
    if (!by || rank === undefined) return undefined;
    if (by.is(ops.Conv) || by.is(ops.ConvTranspose)) return channelAxis(by.attrs.layout, rank);
    if (by.is(ops.MatMul)) return by.operands.b.constant ? rank - 1 : undefined;
    if (by.is(ops.BatchNormalization)) value = by.operands.x;
    else if (by.is(ops.Add) || by.is(ops.Mul)) {
      const { a, b } = by.operands;
      if (!a.constant === !b.constant) return undefined;
      value = a.constant ? b : a;
    } else return undefined;
  }
}
