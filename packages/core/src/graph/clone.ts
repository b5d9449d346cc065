import { Graph } from './graph.js';
import { Node, type Region } from './node.js';
import { Value } from './value.js';

/**
 * A copy of a graph that shares nothing that can change with the original: operators, weights and
 * attribute values are shared, being immutable.
 */
export function cloneGraph(graph: Graph, parent?: Graph): Graph {
  const copy = new Graph(graph.name, parent);
  const values = new Map<Value, Value>();
  const valueOf = (value: Value): Value => {
    const known = values.get(value);
    if (known) return known;
    const made = new Value(value.name, value.type, value.constant, value.origin);
    values.set(value, made);
    return made;
  };
  for (const input of graph.inputs) copy.inputs.push(valueOf(input));
  for (const node of graph.nodes) {
    const regions = Object.fromEntries(
      Object.entries(node.regions).map(([name, region]): [string, Region] => [
        name,
        { graph: cloneGraph(region.graph, copy), captures: region.captures.map(valueOf) },
      ]),
    );
    const made = new Node(
      node.op,
      node.inputs.map((value) => value && valueOf(value)),
      node.attrs,
      regions,
      node.name,
      node.origin,
    );
    for (const output of node.outputs) {
      const value = valueOf(output);
      value.producer = made;
      made.outputs.push(value);
    }
    copy.adopt(made);
  }
  for (const { name, value } of graph.outputs) copy.output(name, valueOf(value));
  return copy;
}
