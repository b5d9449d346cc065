import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import type { Value } from '../../graph/value.js';
import type { Attrs, AttrValues } from '../../ops/attr.js';
import type { GivenOperands, Op, Operands } from '../../ops/define-op.js';

/** A local change: gives whether it changed something at a node. */
export type Rule = (graph: Graph, node: Node) => boolean;

/** Whether a value is a result of the graph. */
export function isOutput(graph: Graph, value: Value): boolean {
  return graph.outputs.some((output) => output.value === value);
}

/** Whether nothing needs a node's results. */
export function isUnused(graph: Graph, node: Node): boolean {
  return node.outputs.every((value) => value.users.size === 0 && !isOutput(graph, value));
}

/**
 * Puts a value in the place of a node's one result and takes out the node, and those before it that
 * nothing else needs.
 */
export function replaceBy(graph: Graph, node: Node, value: Value): true {
  graph.replaceUses(node.outputs[0]!, value);
  dropUnused(graph, node);
  return true;
}

/**
 * Puts a new node in the place of a node with one result; it takes over name and origin, and its
 * result name, origin and type.
 */
export function replaceByNode<I extends Operands, O extends Operands, A extends Attrs>(
  graph: Graph,
  node: Node,
  op: Op<I, O, A>,
  operands: GivenOperands<I, Value>,
  attrs: AttrValues<A>,
): true {
  const old = node.outputs[0]!;
  const made = graph.add(op, operands, attrs, {
    name: node.name,
    origin: node.origin,
    outputs: [old.name],
  });
  const [value] = Object.values(made) as [Value];
  value.origin = old.origin;
  if (old.shape) value.type = old.type;
  return replaceBy(graph, node, value);
}

/**
 * Lets a node take its first operand from further up, and takes out what nothing needs any more.
 */
export function takeFrom(graph: Graph, node: Node, value: Value): true {
  const before = node.inputs[0]?.producer;
  graph.setInput(node, 0, value);
  if (before && isUnused(graph, before)) dropUnused(graph, before);
  return true;
}

function dropUnused(graph: Graph, node: Node): void {
  const waiting = [node];
  for (let each = waiting.pop(); each; each = waiting.pop()) {
    const producers = new Set(
      [...each.dependencies()].flatMap(({ producer }) => (producer ? [producer] : [])),
    );
    graph.remove(each);
    for (const producer of producers) if (isUnused(graph, producer)) waiting.push(producer);
  }
}
