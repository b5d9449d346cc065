import {
  DroverError,
  readModel,
  Report,
  type Diagnostic,
  type Graph,
  type LoadedModel,
  type OpenedModel,
  type Runtime,
  type Signature,
  type Tensor,
} from '@drover/core';
import { parityDiagnostics } from './diagnostics.js';
import { inputSpecs, type InputSpec } from './input-spec.js';
import { makeInputs } from './inputs.js';
import { loadModel } from './load-model.js';
import { matchArrays } from './match-arrays.js';
import { consultOracle, type Oracle } from './oracle.js';
import { sizings } from './sizes.js';

/** How the model that another one is held to is run. */
export interface BaselineOptions {
  /** What may run it: the first that runs its format does, the reference evaluator where none. */
  readonly runtimes: readonly Runtime[];
  /** Arrays to feed, matched with the inputs as {@link matchArrays} does; made when absent. */
  readonly inputs?: ReadonlyMap<string, Tensor> | undefined;
  /** Seed of the inputs that are made; 0 unless told. */
  readonly seed?: number | undefined;
}

/** What one model gave, and what there is to hold another one to it. */
export interface Baseline {
  readonly graph: Graph;
  /** Inputs as the model declares them. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** The outputs in the order that the model declares. */
  readonly declared: readonly Signature[];
  /** Undefined where the reference evaluator cannot compute the model. */
  readonly oracle: Oracle | undefined;
  /** Null when the inputs were given. */
  readonly seed: number | null;
  /** Name of the runtime that ran it. */
  readonly runtime: string;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Runs the model that another one is held to: in its own runtime, and in the reference evaluator.
 * Throws `parity/no-inputs` when sizes are open and none of those that are tried fit, and what
 * reading, loading and running throw.
 */
export async function runBaseline(
  opened: OpenedModel,
  { runtimes, inputs: arrays, seed = 0 }: BaselineOptions,
): Promise<Baseline> {
  const report = new Report();
  const { graph, file } = await readModel(opened, report);
  const { runtime, model } = await loadModel(opened, runtimes, report);
  try {
    const matched = arrays && matchArrays(model.inputs, arrays, 'in', opened.source.name);
    const { inputs, outputs } = matched
      ? { inputs: matched.values, outputs: await model.run(matched.values) }
      : await runOnMade(model, inputSpecs(model.inputs, graph), seed, file);
    for (const diagnostic of matched?.diagnostics ?? []) report.add(diagnostic);
    return {
      graph,
      inputs,
      outputs,
      declared: model.outputs,
      oracle: await oracleOf(graph, inputs, model.outputs, file, report),
      seed: arrays ? null : seed,
      runtime,
      diagnostics: report.diagnostics,
    };
  } finally {
    await model.dispose();
  }
}

/**
 * Makes inputs from a seed and runs a model on them, in the first of the sizes that it takes.
 */
async function runOnMade(
  model: LoadedModel,
  specs: readonly InputSpec[],
  seed: number,
  file: string,
): Promise<{ inputs: Map<string, Tensor>; outputs: Map<string, Tensor> }> {
  const hasFree = specs.some(({ shape }) => shape.some((dim) => typeof dim !== 'number'));
  const failures: DroverError[] = [];
  for (const sizes of sizings(specs)) {
    const inputs = makeInputs(specs, { seed, sizes });
    try {
      return { inputs, outputs: await model.run(inputs) };
    } catch (error) {
      if (!(error instanceof DroverError) || !hasFree) throw error;
      failures.push(error);
    }
  }
  throw parityDiagnostics.error('no-inputs', {
    message: `${file} leaves sizes of its inputs open and does not run with those that were tried: ${failures[0]!.diagnostics[0]!.message}`,
    origin: { file },
  });
}

/** The oracle, or none and the warning `parity/no-oracle` where core cannot evaluate the model. */
async function oracleOf(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  declared: readonly Signature[],
  file: string,
  report: Report,
): Promise<Oracle | undefined> {
  try {
    return await consultOracle(
      graph,
      inputs,
      declared.map(({ name }) => name),
      file,
    );
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    const why = error.diagnostics.map(({ message }) => message).join(' ');
    report.add(
      parityDiagnostics.diagnostic('no-oracle', {
        message: `The reference evaluator cannot compute ${file}: ${why}`,
        origin: { file },
      }),
    );
    return undefined;
  }
}
