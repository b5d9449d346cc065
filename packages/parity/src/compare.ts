import {
  Report,
  type Diagnostic,
  type DType,
  type OpenedModel,
  type Runtime,
  type Signature,
  type Tensor,
} from '@drover/core';
import type { Baseline } from './baseline.js';
import { parityDiagnostics } from './diagnostics.js';
import { judge, type Judgement } from './judge.js';
import { loadModel } from './load-model.js';
import { matchArrays } from './match-arrays.js';
import { permuteImages } from './permute-images.js';
import { renamed } from './rename.js';

/** What a comparison of two models, or of a model with expected outputs, gave. */
export interface Comparison {
  readonly judgement: Judgement;
  /** What was fed, as the first model declares it. */
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: DType;
    readonly shape: readonly number[];
  }[];
  /** Null when the inputs were given. */
  readonly seed: number | null;
  /** Names of the runtimes that ran. */
  readonly runtimes: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** How the second model of a comparison is run. */
export interface ComparisonOptions {
  /** As for the baseline. */
  readonly runtimes: readonly Runtime[];
  /** Layout in which the second model takes its images; that of the first unless told. */
  readonly inputLayout?: 'nchw' | 'nhwc' | undefined;
}

const namesOf = (declared: readonly Signature[]) => declared.map(({ name }) => name);

/**
 * Judges a model by expected outputs, which are matched with its own as {@link matchArrays} does;
 * `file` is what messages name. Throws `parity/no-expected` unless there is one for each.
 */
export function compareWithExpected(
  baseline: Baseline,
  expected: ReadonlyMap<string, Tensor>,
  file: string,
): Comparison {
  const { values, diagnostics } = matchArrays(baseline.declared, expected, 'out', file);
  const missing = namesOf(baseline.declared)
    .filter((name) => !values.has(name))
    .map((name) => JSON.stringify(name));
  if (missing.length > 0)
    throw parityDiagnostics.error('no-expected', {
      message: `${file} holds nothing for ${missing.join(', ')}.`,
      origin: { file },
    });
  const evidence = { source: values, target: baseline.outputs };
  return finish(baseline, evidence, [baseline.runtime], diagnostics);
}

/**
 * Runs a second model on the inputs of the first and judges it by what the first gave and by the
 * reference. Inputs and outputs go by equal names, else by their place. Throws what loading and
 * running throw.
 */
export async function compareWithModel(
  baseline: Baseline,
  second: OpenedModel,
  { runtimes, inputLayout }: ComparisonOptions,
): Promise<Comparison> {
  const report = new Report();
  const { runtime, model } = await loadModel(second, runtimes, report);
  try {
    const given = inputLayout
      ? await permuteImages(
          baseline.graph,
          baseline.inputs,
          inputLayout === 'nchw' ? 'channelsFirst' : 'channelsLast',
        )
      : baseline.inputs;
    const outputs = await model.run(renamed(given, namesOf(model.inputs)));
    const evidence = {
      source: baseline.outputs,
      target: renamed(outputs, namesOf(baseline.declared)),
    };
    return finish(baseline, evidence, [baseline.runtime, runtime], report.diagnostics);
  } finally {
    await model.dispose();
  }
}

function finish(
  { declared, oracle, inputs, seed, diagnostics }: Baseline,
  evidence: Record<'source' | 'target', ReadonlyMap<string, Tensor>>,
  runtimes: readonly string[],
  more: readonly Diagnostic[],
): Comparison {
  const truth = oracle && { oracle: oracle.outputs, allowanceUlp: oracle.allowanceUlp };
  return {
    judgement: judge(namesOf(declared), { ...evidence, ...truth }),
    inputs: [...inputs].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    seed,
    runtimes,
    diagnostics: [...diagnostics, ...more],
  };
}
