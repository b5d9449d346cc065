import {
  DroverError,
  MemorySink,
  memorySource,
  openModel,
  writeModel,
  type Model,
  type OpenedModel,
  type Runtime,
} from '@drover/core';
import { compareWithModel, runBaseline, type Comparison } from '@drover/parity';
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
        trials.push({ model: fixture.id, kind, where, comparison: await hold(model) });
      } catch (error) {
        if (!(error instanceof DroverError)) throw error;
      }
    }
    return { honest, trials };
  } finally {
    close();
  }
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
