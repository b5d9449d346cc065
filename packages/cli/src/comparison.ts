import {
  DroverError,
  imageInputs,
  permutationTo,
  Weight,
  type Diagnostic,
  type Layout,
  type Model,
  type Tensor,
} from '@drover/core';
import { judge, makeInputs, type InputSpec, type Judgement } from '@drover/parity';
import { referenceModel, type LoadedModel, type Signature } from '@drover/runtimes';
import { matchArrays, readArrayFiles } from './arrays.js';
import { cliDiagnostics } from './diagnostics.js';
import { read, type OpenedModel } from './open.js';
import { loadOrReference } from './runtimes.js';

/** What a comparison of two models, or of a model with expected outputs, gave. */
export interface Comparison {
  readonly judgement: Judgement;
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
  }[];
  readonly seed: number | null;
  /** Names of the runtimes that ran. */
  readonly runtimes: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What one model gave, and what there is to hold another one to it. */
export interface Baseline {
  readonly opened: OpenedModel;
  readonly model: Model;
  /** Inputs as the model declares them. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** Names of the outputs, in the order that the model declares. */
  readonly names: readonly string[];
  readonly declaredOutputs: readonly Signature[];
  readonly oracle?:
    | {
        readonly outputs: ReadonlyMap<string, Tensor>;
        readonly allowanceUlp: ReadonlyMap<string, number>;
      }
    | undefined;
  readonly seed: number | null;
  readonly runtime: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Where the inputs of a comparison come from: files, or a seed. */
export interface InputOrigin {
  readonly inputs?: readonly string[] | undefined;
  readonly seed?: number | undefined;
}

/**
 * Values under the names that the other side uses: equal names, else the same place in the order.
 */
function renamed(from: ReadonlyMap<string, Tensor>, names: readonly string[]): Map<string, Tensor> {
  if (names.every((name) => from.has(name))) return new Map(from);
  return new Map([...from.values()].map((value, i) => [names[i] ?? `output ${i}`, value]));
}

/**
 * The inputs as the runtime declares them, with what it leaves open as the model's graph has it.
 */
function inputSpecs(declared: readonly Signature[], { graph }: Model): InputSpec[] {
  return declared.map(({ name, dtype, shape }, i) => {
    const value = graph.inputs.find((input) => input.name === name) ?? graph.inputs[i];
    const known = value?.shape?.map((dim) => (typeof dim === 'number' ? dim : dim.key));
    return { name, dtype: dtype ?? value?.dtype ?? 'float32', shape: shape ?? known ?? [] };
  });
}

/**
 * The reference's outputs for a model, under the names of its runtime; a finding where core cannot
 * evaluate it.
 */
async function oracleOf(
  model: Model,
  inputs: ReadonlyMap<string, Tensor>,
  names: readonly string[],
) {
  try {
    const evaluable = referenceModel(model.graph, model.file);
    const given = renamed(
      inputs,
      evaluable.inputs.map(({ name }) => name),
    );
    const { outputs, allowanceUlp } = await evaluable.evaluate(given);
    const allowances = [...allowanceUlp.values()];
    return {
      oracle: {
        outputs: renamed(outputs, names),
        allowanceUlp: new Map(
          names.map((name, i) => [name, allowanceUlp.get(name) ?? allowances[i] ?? 0]),
        ),
      },
    };
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    const why = error.diagnostics.map(({ message }) => message).join(' ');
    return {
      finding: cliDiagnostics.diagnostic('no-oracle', {
        message: `The reference evaluator cannot compute ${model.file}: ${why}`,
        origin: { file: model.file },
      }),
    };
  }
}

/**
 * Sizes of free dimensions, tried in turn: primes show every mistaken layout; networks that halve
 * and double their images need powers of two in them.
 */
const sizings = [() => undefined, (specs: readonly InputSpec[]) => evenSizes(specs)];

/** Different multiples of 32 for the free dimensions behind the first, which is a batch. */
function evenSizes(specs: readonly InputSpec[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, shape } of specs) {
    shape.forEach((dim, axis) => {
      const key = dim ?? `${name}[${axis}]`;
      if (axis > 0 && typeof key === 'string' && !sizes.has(key))
        sizes.set(key, 32 * (sizes.size + 2));
    });
  }
  return sizes;
}

/**
 * Makes inputs from a seed and runs a model on them, in the first of the sizes that it takes.
 * Throws `cli/no-inputs` when free dimensions take none of them.
 */
async function runOnMade(
  loaded: LoadedModel,
  specs: readonly InputSpec[],
  seed: number,
  file: string,
): Promise<{ inputs: Map<string, Tensor>; outputs: Map<string, Tensor> }> {
  const hasFree = specs.some(({ shape }) => shape.some((dim) => typeof dim !== 'number'));
  const failures: DroverError[] = [];
  for (const sizing of sizings) {
    const sizes = sizing(specs);
    const inputs = makeInputs(specs, { seed, ...(sizes && { sizes }) });
    try {
      return { inputs, outputs: await loaded.run(inputs) };
    } catch (error) {
      if (!(error instanceof DroverError) || !hasFree) throw error;
      failures.push(error);
    }
  }
  throw cliDiagnostics.error('no-inputs', {
    message: `${file} leaves sizes of its inputs open and does not run with those that were tried: ${failures[0]!.diagnostics[0]!.message}`,
    origin: { file },
  });
}

/**
 * Runs the model that another one is held to: in its own runtime, and in the reference evaluator.
 */
export async function runBaseline(
  opened: OpenedModel,
  { inputs: files, seed = 0 }: InputOrigin,
): Promise<Baseline> {
  const { model, diagnostics: found } = await read(opened);
  const { id, model: loaded, diagnostics: loading } = await loadOrReference(opened);
  try {
    const matched =
      files && matchArrays(loaded.inputs, await readArrayFiles(files), 'in', opened.source.name);
    const { inputs, outputs } = matched
      ? { inputs: matched.values, outputs: await loaded.run(matched.values) }
      : await runOnMade(loaded, inputSpecs(loaded.inputs, model), seed, model.file);
    const names = loaded.outputs.map(({ name }) => name);
    const { oracle, finding } = await oracleOf(model, inputs, names);
    const diagnostics = [
      ...new Set([
        ...found,
        ...loading,
        ...(matched?.diagnostics ?? []),
        ...(finding ? [finding] : []),
      ]),
    ];
    return {
      opened,
      model,
      inputs,
      outputs,
      names,
      declaredOutputs: loaded.outputs,
      oracle,
      seed: files ? null : seed,
      runtime: id,
      diagnostics,
    };
  } finally {
    await loaded.dispose();
  }
}

function finish(
  baseline: Baseline,
  judgement: Judgement,
  runtimes: readonly string[],
  more: readonly Diagnostic[],
): Comparison {
  const inputs = [...baseline.inputs].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  return {
    judgement,
    inputs,
    seed: baseline.seed,
    runtimes,
    diagnostics: [...baseline.diagnostics, ...more],
  };
}

/** The evidence of the reference, where there is some. */
const truth = ({ oracle }: Baseline) =>
  oracle && { oracle: oracle.outputs, allowanceUlp: oracle.allowanceUlp };

/**
 * Judges a model by expected outputs, all of which have to be there: throws `cli/no-expected`
 * otherwise.
 */
export async function judgeByExpected(baseline: Baseline, file: string): Promise<Comparison> {
  const { values, diagnostics } = matchArrays(
    baseline.declaredOutputs,
    await readArrayFiles([file]),
    'out',
    file,
  );
  const missing = baseline.names
    .filter((name) => !values.has(name))
    .map((name) => JSON.stringify(name));
  if (missing.length > 0)
    throw cliDiagnostics.error('no-expected', {
      message: `${file} holds nothing for ${missing.join(', ')}.`,
      origin: { file },
    });
  return finish(
    baseline,
    judge(baseline.names, { source: values, target: baseline.outputs, ...truth(baseline) }),
    [baseline.runtime],
    diagnostics,
  );
}

/**
 * Runs a second model on the inputs of the first and judges it by what the first gave and by the
 * reference. `inputLayout` says that the second takes its images in that layout.
 */
export async function judgeByBaseline(
  baseline: Baseline,
  second: OpenedModel,
  inputLayout?: 'nchw' | 'nhwc',
): Promise<Comparison> {
  const { id, model: loaded, diagnostics } = await loadOrReference(second);
  try {
    const given = inputLayout
      ? await permuteImages(baseline, inputLayout === 'nchw' ? 'channelsFirst' : 'channelsLast')
      : baseline.inputs;
    const outputs = await loaded.run(
      renamed(
        given,
        loaded.inputs.map(({ name }) => name),
      ),
    );
    const evidence = {
      source: baseline.outputs,
      target: renamed(outputs, baseline.names),
      ...truth(baseline),
    };
    return finish(baseline, judge(baseline.names, evidence), [baseline.runtime, id], diagnostics);
  } finally {
    await loaded.dispose();
  }
}

async function permuteImages(
  { model: { graph }, inputs }: Baseline,
  layout: Layout,
): Promise<Map<string, Tensor>> {
  const images = imageInputs(graph, layout);
  const permuted = new Map<string, Tensor>();
  for (const [i, [name, value]] of [...inputs].entries()) {
    const isImage = images.has(
      graph.inputs.find((input) => input.name === name) ?? graph.inputs[i]!,
    );
    permuted.set(
      name,
      isImage
        ? await Weight.from(value).transpose(permutationTo(layout, value.shape.length)).tensor()
        : value,
    );
  }
  return permuted;
}

const number = (value: number | null) => (value === null ? '–' : value.toExponential(1));

/** Lines for people: the verdict, and a line for each output. */
export function comparisonLines({ judgement, runtimes }: Comparison): string[] {
  return [
    ...judgement.outputs.map(({ name, verdict, maxAbs, tolerance, reason }) => {
      const why = reason === null ? '' : `; ${reason}`;
      return `${verdict.padEnd(9)} ${name}: largest difference ${number(maxAbs)}, tolerance ${number(tolerance)}${why}`;
    }),
    `verdict: ${judgement.verdict} (${runtimes.join(', ')})`,
  ];
}

/** The fields of a comparison in a command's document. */
export function comparisonDocument({ judgement, inputs, seed, runtimes }: Comparison) {
  const outputs = judgement.outputs.map(
    ({ name, maxAbs, maxRel, maxUlp, tolerance, agree, reason }) => ({
      name,
      maxAbs,
      maxRel,
      maxUlp,
      tolerance,
      agree,
      reason,
    }),
  );
  return { verdict: judgement.verdict, outputs, firstDivergence: null, inputs, seed, runtimes };
}
