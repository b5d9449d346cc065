import { cloneGraph } from './clone.js';
import type { Graph } from './graph.js';
import { Node, type Region } from './node.js';
import { Value } from './value.js';

/**
 * Copies the nodes of a body into another graph, `inputs` of which stand for the body's inputs, and
 * gives what stands for its outputs.
 */
export function inlineGraph(body: Graph, into: Graph, inputs: readonly Value[]): Value[] {
  const values = new Map<Value, Value>(body.inputs.map((input, i) => [input, inputs[i]!]));
  const valueOf = (value: Value): Value => values.get(value) ?? value;
  for (const node of body.sorted()) {
    const regions = Object.fromEntries(
      Object.entries(node.regions).map(([name, region]): [string, Region] => [
        name,
        { graph: cloneGraph(region.graph, into), captures: region.captures.map(valueOf) },
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
      const value = new Value(output.name, output.type, undefined, output.origin);
      value.producer = made;
      made.outputs.push(value);
      values.set(output, value);
    }
    into.adopt(made);
  }
  return body.outputs.map(({ value }) => valueOf(value));
}
