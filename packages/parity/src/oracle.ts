import { bindInputs, Evaluator, type Graph, type Tensor } from '@drover/core';
import { fitInputs, signatureOf } from '@drover/core/format';
import { renamed } from './rename.js';

/** What the reference evaluator gave for a model, by the names of its outputs. */
export interface Oracle {
  /** Float results in float64. */
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** What a correct float implementation may lose on the way to each, in ULP. */
  readonly allowanceUlp: ReadonlyMap<string, number>;
}

/**
 * Evaluates a graph and adds up, along the way to each value, what the operators may lose: the
 * squares of the allowances of the nodes on the worst path, as independent rounding errors add
 * (Higham, Accuracy and Stability of Numerical Algorithms, 2.8). Inputs and outputs go by the names
 * that the model's runtime uses, else by their place; `file` is what messages name. Throws what
 * `fitInputs` and the operators throw: `core/not-evaluable` for what has no meaning in core.
 */
export async function consultOracle(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  names: readonly string[],
  file: string,
): Promise<Oracle> {
  const declared = signatureOf(graph).inputs;
  const given = renamed(
    inputs,
    declared.map(({ name }) => name),
  );
  const evaluator = new Evaluator(graph, bindInputs(graph, fitInputs(declared, given, file)));
  const squares = new Map<unknown, number>();
  const results = await evaluator.run(({ node, path, ulp }) => {
    if (path.length > 0) return;
    const before = [...node.dependencies()].map((operand) => squares.get(operand) ?? 0);
    const square = Math.max(0, ...before) + ulp ** 2;
    for (const output of node.outputs) squares.set(output, square);
  });
  const allowances = new Map(
    graph.outputs.map(({ name, value }) => [name, Math.sqrt(squares.get(value) ?? 0)]),
  );
  const inOrder = [...allowances.values()];
  return {
    outputs: renamed(new Map(graph.outputs.map(({ name }, i) => [name, results[i]!])), names),
    allowanceUlp: new Map(names.map((name, i) => [name, allowances.get(name) ?? inOrder[i] ?? 0])),
  };
}
