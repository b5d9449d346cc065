import {
  DroverError,
  readModel,
  Report,
  type Diagnostic,
  type Graph,
  type OpenedModel,
  type Signature,
  type Tensor,
} from '@drover/core';
import { RunningModel } from './load-model.js';
import { runOnGiven, runOnMade, type BaselineOptions, type BaselineRun } from './runs.js';

/** What one model gave, and what there is to hold another one to it. */
export interface Baseline {
  readonly graph: Graph;
  readonly runs: readonly BaselineRun[];
  /** The outputs in the order that the model declares. */
  readonly declared: readonly Signature[];
  readonly inputs: readonly Signature[];
  /** Null when the inputs were given. */
  readonly seed: number | null;
  /** Name of the runtime that ran it. */
  readonly runtime: string;
  /** Names of inputs that no output moves with, where that was tried. */
  readonly idle: readonly string[];
  readonly report: Report;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Runs the model that another one is held to, in its own runtime. Throws `parity/no-inputs` when
 * sizes are open and none of those that are tried fit, and what reading, loading and running throw.
 */
export async function runBaseline(
  opened: OpenedModel,
  options: BaselineOptions,
): Promise<Baseline> {
  const { runtimes, inputs: arrays, seed = 0 } = options;
  const report = new Report();
  const { graph, file } = await readModel(opened, report);
  const model = await RunningModel.load(opened, graph, runtimes, report);
  const running = { model, graph, file, report };
  try {
    const runs = arrays
      ? [await runOnGiven(running, arrays, opened.source.name)]
      : await runOnMade(running, options);
    return {
      graph,
      runs,
      declared: model.outputs,
      inputs: model.inputs,
      seed: arrays ? null : seed,
      runtime: model.runtime,
      idle: arrays ? [] : await idleInputs(model, runs),
      report,
      get diagnostics() {
        return report.diagnostics;
      },
    };
  } finally {
    await model.dispose();
  }
}

/**
 * Inputs that no output moves with: each in turn gets the values of a later run, where that has the
 * same shapes.
 */
async function idleInputs(model: RunningModel, runs: readonly BaselineRun[]): Promise<string[]> {
  const [first, ...later] = runs;
  const idle: string[] = [];
  if (!first || first.inputs.size < 2) return idle;
  for (const [name, value] of first.inputs) {
    const other = later
      .map(({ inputs }) => inputs.get(name))
      .find((each) => each?.shape.join() === value.shape.join() && !equal(each, value));
    if (!other) continue;
    try {
      const outputs = await model.run(new Map([...first.inputs, [name, other]]));
      if ([...outputs].every(([key, output]) => equal(output, first.outputs.get(key)!)))
        idle.push(name);
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
    }
  }
  return idle;
}

const equal = (a: Tensor, b: Tensor) =>
  a.shape.join() === b.shape.join() && a.data.every((x, i) => Object.is(x, b.data[i]));
