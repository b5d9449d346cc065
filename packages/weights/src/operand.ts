import { Graph, ops, tensor, Weight, type Node, type Value } from '@drover/core';

/** Where an operator keeps a constant. */
export interface Operand {
  readonly graph: Graph;
  readonly node: Node;
  /** Which of its operands; undefined for a bias that is yet to be added to its result. */
  readonly index: number | undefined;
}

/** The constant that stands at a place: zeros where there is none yet. */
export function constantAt({ node, index }: Operand): Weight {
  const constant = index === undefined ? undefined : node.inputs[index]?.constant;
  return constant ?? zeros(node);
}

/** A bias of zeros for the result of a layer. */
export function zeros(node: Node): Weight {
  const weight = node.inputs[1]!.constant!;
  const { axis } = biased.get(node.op.name)!;
  const size = weight.shape[axis]!;
  return Weight.from(tensor(weight.dtype, [size], new Array<number>(size).fill(0)));
}

/** Operators that may have a bias: the axis of their channels in the weight, and its operand. */
export const biased: ReadonlyMap<
  string,
  { readonly axis: number; readonly operand?: number | undefined }
> = new Map([
  ['Conv', { axis: 0, operand: 2 }],
  ['MatMul', { axis: 1, operand: undefined }],
]);

/** Puts a constant at a place. */
export function setConstant({ graph, node, index }: Operand, value: Value): void {
  if (index !== undefined) {
    while (node.inputs.length <= index) node.inputs.push(undefined);
    graph.setInput(node, index, value);
    return;
  }
  const [product] = node.outputs;
  const sum = graph.add(ops.Add, { a: product!, b: value }, {}, { origin: node.origin }).y;
  graph.replaceUses(product!, sum);
  graph.setInput(Graph.producer(sum), 0, product);
}
