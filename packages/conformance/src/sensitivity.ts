import {
  DroverError,
  MemorySink,
  memorySource,
  openModel,
  writeModel,
  type Graph,
  type Model,
  type OpenedModel,
  type Runtime,
} from '@drover/core';
import {
  compareWithModel,
  consultOracle,
  errorOf,
  runBaseline,
  type Baseline,
  type Comparison,
} from '@drover/parity';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { tfjs } from '@drover/runtimes/tfjs';
import { openFixture } from './conversion-chain.js';
import type { ModelFixture } from './model-fixture.js';
import { mutationsOf } from './mutations.js';
import { subjectOf } from './subjects.js';

/** Runtimes in this process: a suite makes hundreds of models, and none of them is hostile. */
export const inProcess: readonly Runtime[] = [onnxruntime({ threads: 1 }), tfjs()];

/** What became of one change. */
export interface Trial {
  readonly model: string;
  readonly kind: string;
  readonly where: string;
  readonly comparison: Comparison;
  /** For a change that agrees: how far it moves an output, in the error that is expected of it. */
  readonly effect: number | undefined;
}

/** The format that a model is written to, to be held against itself. */
const targetFor = (format: string) => subjectOf(format === 'onnx' ? 'tfjs' : 'onnx').format;

async function written(model: Model, format: string): Promise<OpenedModel> {
  const to = targetFor(format);
  const sink = new MemorySink();
  await writeModel(model, { to, sink });
  return { format: to, source: memorySource(to.fileNames.usual, sink.files) };
}

/**
 * Holds a model against itself in another format, first as it is and then with each of its
 * mutations. Changes that the graph refuses, as one that no longer fits, are left out.
 */
export async function sensitivityOf(
  fixture: ModelFixture,
  places: number,
  seed: number,
): Promise<{ readonly honest: Comparison; readonly trials: readonly Trial[] }> {
  const { source, params, close } = await openFixture(fixture);
  try {
    const { format } = subjectOf(fixture.format);
    const fresh = () => openModel(source, format, { params });
    const baseline = await runBaseline({ format, source, params }, { runtimes: inProcess });
    const hold = async (model: Model) =>
      compareWithModel(baseline, await written(model, format.id), { runtimes: inProcess });
    const original = await fresh();
    const honest = await hold(original);
    const trials: Trial[] = [];
    for (const { kind, where, apply } of mutationsOf((await fresh()).graph, places, seed)) {
      const model = await fresh();
      try {
        if (!(await apply(model.graph))) continue;
        const comparison = await hold(model);
        const effect =
          comparison.verdict === 'agree' ? await effectOf(baseline, model.graph) : undefined;
        trials.push({ model: fixture.id, kind, where, comparison, effect });
      } catch (error) {
        if (!(error instanceof DroverError)) throw error;
      }
    }
    return { honest, trials };
  } finally {
    close();
  }
}

/**
 * How far a changed graph moves an output, in the rounding errors that are expected of it: the most
 * of all outputs and runs, by the root of the mean square and by the largest element.
 */
async function effectOf({ graph, runs }: Baseline, changed: Graph): Promise<number> {
  const names = graph.outputs.map(({ name }) => name);
  let most = 0;
  for (const { inputs } of runs) {
    const before = await consultOracle(graph, inputs, names, '');
    const after = await consultOracle(changed, inputs, names, '');
    for (const [name, exact] of before.outputs) {
      const [moved, expected] = [
        errorOf(after.outputs.get(name)!, exact),
        before.expected.get(name)!,
      ];
      if (moved.max > 0) most = Math.max(most, moved.rms / expected.rms, moved.max / expected.max);
    }
  }
  return most;
}

/** Trials by kind: how many, and how many of them the verdict noticed. */
export function tally(trials: readonly Trial[]): Map<string, { tried: number; caught: number }> {
  const found = new Map<string, { tried: number; caught: number }>();
  for (const { kind, comparison } of trials) {
    const { tried, caught } = found.get(kind) ?? { tried: 0, caught: 0 };
    const isCaught = comparison.verdict !== 'agree';
    found.set(kind, { tried: tried + 1, caught: caught + Number(isCaught) });
  }
  return found;
}
