import { evaluate } from '../evaluate/evaluate.js';
import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { asStored } from '../tensor/tensor.js';
import { fitInputs } from './fit-inputs.js';
import type { LoadedModel, Signature } from './runtime.js';

/** What a graph declares, as a runtime tells it. */
export function signatureOf(graph: Graph): Pick<LoadedModel, 'inputs' | 'outputs'> {
  const declared = (name: string, { dtype, shape }: Value): Signature => ({
    name,
    dtype,
    shape: shape?.map((dim) => (typeof dim === 'number' ? dim : dim.key)),
  });
  return {
    inputs: graph.inputs.map((value) => declared(value.name, value)),
    outputs: graph.outputs.map(({ name, value }) => declared(name, value)),
  };
}

/**
 * A graph in the reference evaluator, which computes every float type in float64; results are
 * rounded once to the types that the graph declares. `file` is what messages name. `run` throws
 * `core/not-evaluable` for what has no meaning in core.
 */
export function referenceModel(graph: Graph, file: string): LoadedModel {
  const { inputs, outputs } = signatureOf(graph);
  return {
    inputs,
    outputs,
    run: async (given) => {
      const results = await evaluate(graph, fitInputs(inputs, given, file));
      return new Map([...results].map(([name, value]) => [name, asStored(value)]));
    },
    dispose: async () => {},
  };
}
