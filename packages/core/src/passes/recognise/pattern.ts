import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import type { Value } from '../../graph/value.js';
import type { Op } from '../../ops/define-op.js';
import { sizeOf, toNumbers } from '../../tensor/tensor.js';

/** The number that a constant of one element holds; undefined for anything else. */
export function scalarOf(value: Value): number | undefined {
  if (!value.constant || sizeOf(value.constant.shape) !== 1) return undefined;
  const elements = value.constant.peek();
  return elements && toNumbers(elements)[0];
}

/** Whether a value is a constant of one element near to a number: as near as float32 tells. */
export function isScalar(value: Value, number: number): boolean {
  const found = scalarOf(value);
  return found !== undefined && Math.abs(found - number) <= 1e-6 * Math.abs(number);
}

/** The node of an operator that makes a value, if that is what makes it. */
export function madeBy<O extends Op>(value: Value | undefined, op: O): Node<O> | undefined {
  const node = value?.producer;
  return node && (node.op as Op) === (op as Op) ? (node as unknown as Node<O>) : undefined;
}

/** Both orders of the two operands of a commutative node. */
export function bothOrders(node: Node): readonly (readonly [Value, Value])[] {
  const [a, b] = [node.inputs[0]!, node.inputs[1]!];
  return [
    [a, b],
    [b, a],
  ];
}

/**
 * No pattern has more factors, and a long chain of products must not be walked from each of its
 * nodes.
 */
const maxFactors = 6;

/**
 * The factors of a product: operands of a tree of nodes of one commutative operator whose inner
 * results nothing else uses. Of a large product those of its outer part.
 */
export function factorsOf(root: Node, graph: Graph): readonly Value[] {
  const factors: Value[] = [];
  const open: Value[] = root.inputs.filter((value) => value !== undefined);
  while (open.length > 0) {
    const value = open.pop()!;
    const isInner =
      factors.length + open.length < maxFactors &&
      value.producer?.op === root.op &&
      value.users.size === 1 &&
      !graph.outputs.some((output) => output.value === value);
    if (isInner) open.push(...value.producer!.inputs.filter((each) => each !== undefined));
    else factors.push(value);
  }
  return factors;
}
