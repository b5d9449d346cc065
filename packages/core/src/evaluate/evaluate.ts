import type { Graph } from '../graph/graph.js';
import type { Tensor } from '../tensor/tensor.js';
import { bindInputs, type GraphInputs } from './bind-inputs.js';
import { Evaluator } from './evaluator.js';

/**
 * Evaluates a graph, in float64 for every float type: a tensor for each output, by name and in
 * order. Inputs are given in the order of the graph or by name. Throws `core/missing-input`,
 * `core/unknown-input`, `core/input-type`, `core/input-shape`, and what its operators throw.
 */
export async function evaluate(graph: Graph, inputs: GraphInputs): Promise<Map<string, Tensor>> {
  const results = await new Evaluator(graph, bindInputs(graph, inputs)).run();
  return new Map(graph.outputs.map(({ name }, i) => [name, results[i]!]));
}
