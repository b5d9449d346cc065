import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { sameShape } from '../tensor/dim.js';
import type { Graph } from './graph.js';
import { inferTypes } from './infer.js';
import type { Node } from './node.js';
import type { Value } from './value.js';

/**
 * Checks a graph: every operand is an input, a constant or a result of a node of this graph; no
 * cycles; use lists are right; bodies have the inputs that their captures fill; each node's
 * recorded types agree with inference. Throws `core/invalid-graph` at the first violation.
 */
export function verify(graph: Graph): void {
  const nodes = new Set(graph.nodes);
  const inputs = new Set(graph.inputs);
  const fail = (node: Node | undefined, message: string) =>
    coreDiagnostics.error('invalid-graph', {
      message: node ? `${node}: ${message}` : message,
      origin: { file: '', ...(node && { node: node.name, op: node.op.name }) },
    });
  const belongs = (value: Value) =>
    value.constant !== undefined ||
    inputs.has(value) ||
    (value.producer !== undefined && nodes.has(value.producer));
  for (const node of graph.sorted()) {
    for (const value of node.dependencies()) {
      if (!belongs(value)) throw fail(node, `${value} is not of this graph.`);
      if (!value.users.has(node)) throw fail(node, `${value} does not know that it is used here.`);
    }
    if (node.outputs.some((value) => value.producer !== node))
      throw fail(node, 'a result names another producer.');
    const names = Object.keys(node.regions);
    if (names.join() !== (node.op.regions ?? []).join())
      throw fail(
        node,
        `its bodies are ${names.join() || 'none'}, not ${(node.op.regions ?? []).join() || 'none'}.`,
      );
    for (const [name, region] of Object.entries(node.regions)) {
      if (region.graph.inputs.length < region.captures.length)
        throw fail(node, `the body ${name} has fewer inputs than captures.`);
      if (region.graph.parent !== graph)
        throw fail(node, `the body ${name} belongs to another graph.`);
    }
    inferTypes(node, node.outputs.length).forEach((type, i) => {
      const value = node.outputs[i];
      if (!value) throw fail(node, `result ${i} is missing.`);
      const sameRank = !type.shape || !value.shape || type.shape.length === value.shape.length;
      const isFixed =
        value.shape?.every((dim) => typeof dim === 'number') &&
        type.shape?.every((dim) => typeof dim === 'number');
      if (
        type.dtype !== value.dtype ||
        !sameRank ||
        (isFixed && !sameShape(type.shape!, value.shape!))
      )
        throw fail(node, `${value} should be ${type.dtype}[${type.shape?.join(', ') ?? '…'}].`);
    });
  }
  for (const { name, value } of graph.outputs)
    if (!belongs(value)) throw fail(undefined, `The output ${name} is not of this graph.`);
}
