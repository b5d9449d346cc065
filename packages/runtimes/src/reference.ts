import {
  bindInputs,
  detectFormat,
  encodeTensor,
  decodeTensor,
  Evaluator,
  Report,
  type Format,
  type Graph,
  type Source,
  type Tensor,
  openModel,
} from '@drover/core';
import { fitInputs } from './fit-inputs.js';
import type { LoadedModel, Runtime, Signature } from './runtime.js';

/**
 * A model in the reference evaluator: also tells what its operators may lose in float arithmetic.
 */
export interface ReferenceModel extends LoadedModel {
  /**
   * Like `run`, but float results keep float64, and each comes with what a correct float
   * implementation may lose on the way.
   */
  evaluate(
    inputs: ReadonlyMap<string, Tensor>,
  ): Promise<{ readonly outputs: Map<string, Tensor>; readonly allowanceUlp: Map<string, number> }>;
}

/**
 * The reference: core's evaluator, which computes every float type in float64. It runs every format
 * that it is given, and throws `core/not-evaluable` or what reading throws for the rest.
 */
export function reference(
  formats: readonly Format[],
): Runtime & { load(source: Source): Promise<ReferenceModel> } {
  return { id: 'reference', load: async (source) => loadReference(source, formats) };
}

async function loadReference(source: Source, formats: readonly Format[]): Promise<ReferenceModel> {
  const report = new Report();
  const format = await detectFormat(source, formats);
  const { graph } = await openModel(source, format, { report });
  return referenceModel(graph, source.name);
}

/** A graph, ready to be evaluated; `file` is what messages name. */
export function referenceModel(graph: Graph, file: string): ReferenceModel {
  const inputs: Signature[] = graph.inputs.map(({ name, dtype, shape }) => ({
    name,
    dtype,
    shape: shape?.map((dim) => (typeof dim === 'number' ? dim : dim.key)),
  }));
  const outputs: Signature[] = graph.outputs.map(({ name, value }) => ({
    name,
    dtype: value.dtype,
    shape: value.shape?.map((dim) => (typeof dim === 'number' ? dim : dim.key)),
  }));
  const evaluate = async (given: ReadonlyMap<string, Tensor>) => {
    return runWithAllowance(graph, fitInputs(inputs, given, file));
  };
  return {
    inputs,
    outputs,
    evaluate,
    run: async (given) => {
      const { outputs: results } = await evaluate(given);
      return new Map(
        [...results].map(([name, value]) => [
          name,
          decodeTensor(encodeTensor(value), value.dtype, value.shape),
        ]),
      );
    },
    dispose: async () => {},
  };
}

/**
 * Evaluates a graph and adds up, along the way to each value, what the operators may lose: the
 * squares of the allowances of the nodes on the worst path, as independent rounding errors add
 * (Higham, Accuracy and Stability of Numerical Algorithms, 2.8).
 */
async function runWithAllowance(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
): Promise<{ outputs: Map<string, Tensor>; allowanceUlp: Map<string, number> }> {
  const squares = new Map<unknown, number>();
  const results = await new Evaluator(graph, bindInputs(graph, inputs)).run(
    ({ node, path, ulp }) => {
      if (path.length > 0) return;
      const before = Math.max(
        0,
        ...[...node.dependencies()].map((operand) => squares.get(operand) ?? 0),
      );
      for (const output of node.outputs) squares.set(output, before + ulp ** 2);
    },
  );
  const allowances = graph.outputs.map(
    ({ name, value }) => [name, Math.sqrt(squares.get(value) ?? 0)] as const,
  );
  return {
    outputs: new Map(graph.outputs.map(({ name }, i) => [name, results[i]!])),
    allowanceUlp: new Map(allowances),
  };
}
