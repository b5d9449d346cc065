import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { sizeOf, type Tensor } from '../tensor/tensor.js';

/** Tensors for the inputs of a graph: in their order, or by their names. */
export type GraphInputs =
  readonly Tensor[] | ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>;

/**
 * The tensor for each input of a graph, all of which have to be given. Throws `core/missing-input`,
 * `core/unknown-input`, and `core/input-type` and `core/input-shape` for what is no whole tensor;
 * whether a tensor fits its input, an evaluator checks.
 */
export function bindInputs(graph: Graph, inputs: GraphInputs): Map<Value, Tensor> {
  const isList = Array.isArray(inputs);
  const given: ReadonlyMap<string, Tensor | undefined> =
    inputs instanceof Map ? inputs : new Map(Object.entries(inputs));
  const keys = graph.inputs.map(({ name }, i) => (isList ? String(i) : name));
  const names = graph.inputs.map(({ name }) => JSON.stringify(name));
  const problem = (
    kind: 'missing-input' | 'unknown-input' | 'input-type' | 'input-shape',
    name: string,
    what: string,
  ) =>
    coreDiagnostics.error(kind, {
      message: `The input ${name} ${what}. The graph has ${names.join(', ') || 'none'}.`,
      origin: { file: '' },
    });
  for (const key of given.keys()) {
    if (!keys.includes(key))
      throw problem(
        'unknown-input',
        isList ? `number ${Number(key) + 1}` : JSON.stringify(key),
        'is not one of the graph',
      );
  }
  return new Map(
    graph.inputs.map((input, i) => {
      const tensor = given.get(keys[i]!);
      if (tensor === undefined) throw problem('missing-input', names[i]!, 'is not given');
      if (!Array.isArray(tensor.shape) || tensor.data === undefined)
        throw problem('input-type', names[i]!, 'is no tensor');
      const count = sizeOf(tensor.shape) * (tensor.dtype.startsWith('complex') ? 2 : 1);
      if (tensor.data.length !== count)
        throw problem(
          'input-shape',
          names[i]!,
          `has ${tensor.data.length} elements, which do not fill [${tensor.shape.join(', ')}]`,
        );
      return [input, tensor];
    }),
  );
}
