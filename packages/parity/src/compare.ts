import {
  readModel,
  Report,
  type Diagnostic,
  type DType,
  type OpenedModel,
  type Runtime,
  type Signature,
  type Tensor,
} from '@drover/core';
import { fitsShape } from '@drover/core/format';
import type { Baseline } from './baseline.js';
import type { BaselineRun } from './runs.js';
import { coverageOf, type Coverage } from './coverage.js';
import { parityDiagnostics } from './diagnostics.js';
import { rootMeanSquare, type ErrorSize } from './error-size.js';
import { judge, type Evidence, type Judgement } from './judge.js';
import { isRuntimeFailure, RunningModel } from './load-model.js';
import { matchArrays } from './match-arrays.js';
import { pairValues, type Pair } from './pairing.js';
import { permuteImages } from './permute-images.js';
import { judgeAsStored } from './judge-as-stored.js';
import type { Rules } from './rules.js';
import { worstOf, type Verdict } from './verdict.js';

/** What a comparison of two models, or of a model with expected outputs, gave. */
export interface Comparison {
  /** The worst of the outputs and of what the runs did not reach. */
  readonly verdict: Verdict;
  readonly judgement: Judgement;
  /** What of the first model the runs reached. */
  readonly coverage: Coverage;
  /** Which output of the second model each of the first was held against. */
  readonly pairs: readonly Pair[];
  /** What was fed first, as the first model declares it. */
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: DType;
    readonly shape: readonly number[];
  }[];
  /** Null when the inputs were given. */
  readonly seed: number | null;
  /** How many runs were made. */
  readonly runs: number;
  /** Names of the runtimes that ran. */
  readonly runtimes: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** How outputs are judged. */
export interface JudgeOptions {
  /** Fixed tolerances in place of the measured ones (see Rules). */
  readonly fixed?: Rules['fixed'] | undefined;
}

/** How the second model of a comparison is run. */
export interface ComparisonOptions extends JudgeOptions {
  /** As for the baseline. */
  readonly runtimes: readonly Runtime[];
  /** Layout in which the second model takes its images; that of the first unless told. */
  readonly inputLayout?: 'nchw' | 'nhwc' | undefined;
  /** Names of the first model's inputs and outputs to those of the second. */
  readonly map?: ReadonlyMap<string, string> | undefined;
}

const namesOf = (declared: readonly Signature[]) => declared.map(({ name }) => name);

/**
 * Judges a model by expected outputs, which are matched with its own as {@link matchArrays} does;
 * `file` is what messages name. Throws `parity/no-expected` unless there is one for each.
 */
export async function compareWithExpected(
  baseline: Baseline,
  expected: ReadonlyMap<string, Tensor>,
  file: string,
  { fixed }: JudgeOptions = {},
): Promise<Comparison> {
  const { values, diagnostics } = matchArrays(baseline.declared, expected, 'out', file);
  const missing = namesOf(baseline.declared)
    .filter((name) => !values.has(name))
    .map((name) => JSON.stringify(name));
  if (missing.length > 0)
    throw parityDiagnostics.error('no-expected', {
      message: `${file} holds nothing for ${missing.join(', ')}.`,
      origin: { file },
    });
  for (const diagnostic of diagnostics) baseline.report.add(diagnostic);
  const [run] = baseline.runs;
  const evidence = {
    source: values,
    isSourceExpected: true,
    target: run!.outputs,
    oracle: await run!.oracle(),
  };
  const judgement = await judge(namesOf(baseline.declared), [evidence], rulesOf(fixed));
  const coverage = await coverageOf(baseline, undefined);
  return finish(baseline, judgement, coverage, [], [baseline.runtime], new Report());
}

/**
 * Runs a second model on the inputs of the first and judges it by what the first gave and by the
 * reference. Inputs and outputs are paired as {@link pairValues} does. Throws
 * `parity/unknown-value` where `map` names none of them, `parity/other-inputs` where the second
 * does not take them, and what loading and running throw.
 */
export async function compareWithModel(
  baseline: Baseline,
  second: OpenedModel,
  { runtimes, inputLayout, map, fixed }: ComparisonOptions,
): Promise<Comparison> {
  const report = new Report();
  const { graph } = await readModel(second, report);
  const model = await RunningModel.load(second, graph, runtimes, report);
  try {
    if (map) requireKnown(map, baseline, model, second.source.name);
    const feed = feedFor(baseline, model, inputLayout, map, report, second.source.name);
    requireFit(model, await feed(baseline.runs[0]!.inputs), second.source.name);
    // The reference evaluator is at work while the runtimes are.
    const [ran, truth] = await Promise.all([
      runAll(model, baseline.runs, feed),
      baseline.runs[0]!.oracle(),
    ]);
    const pairs = pairOutputs(baseline, model.outputs, ran[0]!, map, report, second.source.name);
    const targets = ran.map((outputs) => renamedBy(outputs, pairs));
    const names = namesOf(baseline.declared);
    const rules = rulesOf(fixed);
    const evidence = baseline.runs.map(({ outputs }, i): Evidence => ({
      source: outputs,
      isSourceExact: baseline.runtime === 'reference',
      target: targets[i]!,
      ...(i === 0 && { oracle: truth }),
    }));
    const judgement = await judgeRuns(names, baseline.runs, evidence, rules);
    const settled =
      judgement.verdict === 'agree' || fixed
        ? judgement
        : await judgeAsStored(
            { names, judgement, evidence, rules },
            {
              first: baseline.graph,
              second: graph,
              inputs: await Promise.all(baseline.runs.map(({ inputs }) => feed(inputs))),
              pairs,
              file: second.source.name,
            },
          );
    const coverage = await coverageOf(baseline, graph);
    return finish(baseline, settled, coverage, pairs, [baseline.runtime, model.runtime], report);
  } finally {
    await model.dispose();
  }
}

const rulesOf = (fixed: Rules['fixed'] | undefined): Partial<Rules> => (fixed ? { fixed } : {});

type Feed = (inputs: ReadonlyMap<string, Tensor>) => Promise<ReadonlyMap<string, Tensor>>;

/** How inputs of the first model are handed to the second. */
function feedFor(
  { graph, inputs, runs }: Baseline,
  model: RunningModel,
  inputLayout: 'nchw' | 'nhwc' | undefined,
  map: ReadonlyMap<string, string> | undefined,
  report: Report,
  file: string,
): Feed {
  const values = runs[0]!.inputs;
  const pairs = pairValues(
    inputs.map(({ name }) => ({ name, shape: values.get(name)?.shape, value: undefined })),
    model.inputs.map(({ name, shape }) => ({ name, shape })),
    map,
  );
  tellPairs(pairs, 'input', report, file);
  return async (given) => {
    const laid = inputLayout
      ? await permuteImages(graph, given, inputLayout === 'nchw' ? 'channelsFirst' : 'channelsLast')
      : given;
    return new Map(
      pairs.flatMap(({ first, second }) => {
        const value = laid.get(first);
        return value ? [[second, value] as const] : [];
      }),
    );
  };
}

/** Throws `parity/unknown-value` where a pair names what a model does not have. */
function requireKnown(
  map: ReadonlyMap<string, string>,
  { inputs, declared }: Baseline,
  model: RunningModel,
  file: string,
): void {
  const first = namesOf([...inputs, ...declared]);
  const second = namesOf([...model.inputs, ...model.outputs]);
  const unknown = [...map].flatMap(([a, b]) => [
    ...(first.includes(a) ? [] : [`${JSON.stringify(a)} of the first model`]),
    ...(second.includes(b) ? [] : [`${JSON.stringify(b)} of the second model`]),
  ]);
  if (unknown.length > 0)
    throw parityDiagnostics.error('unknown-value', {
      message: `No input or output is ${unknown.join(', ')}.`,
      origin: { file },
    });
}

/** Throws `parity/other-inputs` where a model does not take what it is given. */
function requireFit(
  { inputs }: RunningModel,
  given: ReadonlyMap<string, Tensor>,
  file: string,
): void {
  const shown = (shape: readonly unknown[]) => `[${shape.map((dim) => dim ?? '?').join(', ')}]`;
  const misfits = inputs.flatMap(({ name, shape }) => {
    const value = given.get(name);
    if (value === undefined)
      return [`${JSON.stringify(name)} belongs to no input of the first model`];
    return fitsShape(shape, value.shape)
      ? []
      : [
          `${JSON.stringify(name)} is ${shown(shape!)}, where the first model took ${shown(value.shape)}`,
        ];
  });
  if (misfits.length > 0)
    throw parityDiagnostics.error('other-inputs', {
      message: `The models do not take the same inputs. Of the second, ${misfits.join('; ')}.`,
      origin: { file },
    });
}

/** Runs a model on the inputs of all runs; in the reference where its runtime fails. */
async function runAll(
  model: RunningModel,
  runs: readonly BaselineRun[],
  feed: Feed,
): Promise<Map<string, Tensor>[]> {
  const all = async () => {
    const outputs: Map<string, Tensor>[] = [];
    for (const { inputs } of runs) outputs.push(await model.run(await feed(inputs)));
    return outputs;
  };
  try {
    return await all();
  } catch (error) {
    if (!isRuntimeFailure(error) || model.isReference) throw error;
    await model.replace(error);
    return all();
  }
}

function pairOutputs(
  { declared, runs }: Baseline,
  outputs: readonly Signature[],
  values: ReadonlyMap<string, Tensor>,
  map: ReadonlyMap<string, string> | undefined,
  report: Report,
  file: string,
): Pair[] {
  const pairable = (all: readonly Signature[], of: ReadonlyMap<string, Tensor>) =>
    all.map(({ name, shape }) => ({ name, shape, value: of.get(name) }));
  const pairs = pairValues(pairable(declared, runs[0]!.outputs), pairable(outputs, values), map);
  tellPairs(pairs, 'output', report, file);
  return pairs;
}

function tellPairs(
  pairs: readonly Pair[],
  kind: 'input' | 'output',
  report: Report,
  file: string,
): void {
  const told = {
    map: '',
    name: '',
    origin: 'a like name',
    shape: 'its shape',
    value: 'its elements',
    place: 'its place',
  };
  for (const { first, second, by } of pairs) {
    if (first === second || by === 'map' || by === 'name') continue;
    report.add(
      parityDiagnostics.diagnostic('paired-otherwise', {
        message: `The ${kind} ${JSON.stringify(second)} is taken for ${JSON.stringify(first)} by ${told[by]}.`,
        origin: { file },
      }),
    );
  }
}

/** Outputs of the second model under the names of the first; those without one keep their own. */
function renamedBy(
  outputs: ReadonlyMap<string, Tensor>,
  pairs: readonly Pair[],
): Map<string, Tensor> {
  const names = new Map(pairs.map(({ first, second }) => [second, first]));
  return new Map([...outputs].map(([name, value]) => [names.get(name) ?? name, value]));
}

/**
 * Judges the first run by the oracle, and each other by how far source and target may then be
 * apart; the oracle is asked for those that are further.
 */
async function judgeRuns(
  names: readonly string[],
  runs: readonly BaselineRun[],
  evidence: readonly Evidence[],
  rules: Partial<Rules>,
): Promise<Judgement> {
  const [first, ...later] = evidence;
  if (!first?.oracle || rules.fixed) return judge(names, evidence, rules);
  const { outputs } = await judge(names, [first], rules);
  const between = new Map(
    outputs.flatMap(({ name, tolerance }) => {
      const exact = first.oracle!.outputs.get(name);
      const scale = exact ? rootMeanSquare(exact) : 0;
      if (!tolerance || scale === 0) return [];
      // Both are off, and independent of one another.
      const limit = (size: number) => (Math.SQRT2 * size) / scale;
      return [[name, { rms: limit(tolerance.rms), max: limit(tolerance.max) } satisfies ErrorSize]];
    }),
  );
  const judged = [first];
  for (const [i, one] of later.entries()) {
    const light = { ...one, between };
    const { outputs: found } = await judge(names, [light], rules);
    const isClose = found.every(({ verdict }) => verdict === 'agree');
    judged.push(isClose ? light : { ...one, oracle: await runs[i + 1]!.oracle() });
  }
  return judge(names, judged, rules);
}

function finish(
  { runs, seed, diagnostics }: Baseline,
  judgement: Judgement,
  coverage: Coverage,
  pairs: readonly Pair[],
  runtimes: readonly string[],
  report: Report,
): Comparison {
  const told = coverage.findings.map((message) =>
    parityDiagnostics.diagnostic('uncovered', { message, origin: { file: '' } }),
  );
  return {
    verdict: worstOf([judgement.verdict, coverage.verdict]),
    judgement,
    coverage,
    pairs,
    inputs: [...runs[0]!.inputs].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    seed,
    runs: runs.length,
    runtimes,
    diagnostics: [...diagnostics, ...report.diagnostics, ...told],
  };
}
