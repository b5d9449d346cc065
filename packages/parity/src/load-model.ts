import {
  DroverError,
  readModel,
  runsFormat,
  type LoadedModel,
  type OpenedModel,
  type Report,
  type Runtime,
} from '@drover/core';
import { referenceModel } from '@drover/core/format';
import { parityDiagnostics } from './diagnostics.js';

/** A model in a runtime. */
export interface ModelInRuntime {
  /** Name of the runtime. */
  readonly runtime: string;
  readonly model: LoadedModel;
}

/**
 * Loads a model into the first of the runtimes that runs its format. The reference evaluator takes
 * its place where there is none, and where it is not installed, which the report is told
 * (`parity/runtime-absent`). Throws what loading and reading throw.
 */
export async function loadModel(
  opened: OpenedModel,
  runtimes: readonly Runtime[],
  report: Report,
): Promise<ModelInRuntime> {
  const { source, format } = opened;
  const runtime = runtimes.find((each) => runsFormat(each, format.id));
  try {
    if (runtime) return { runtime: runtime.id, model: await runtime.load(opened, report) };
  } catch (error) {
    if (!(error instanceof DroverError) || error.diagnostics[0]?.code !== 'runtimes/not-installed')
      throw error;
    const [{ message, help }] = error.diagnostics;
    report.add(
      parityDiagnostics.diagnostic('runtime-absent', {
        message: `The reference evaluator ran ${source.name}. ${message}`,
        help,
        origin: { file: source.name },
      }),
    );
  }
  const { graph } = await readModel(opened, report);
  return { runtime: 'reference', model: referenceModel(graph, source.name) };
}
