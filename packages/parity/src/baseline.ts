import {
  DroverError,
  readModel,
  Report,
  type Diagnostic,
  type Graph,
  type OpenedModel,
  type Runtime,
  type Signature,
  type Tensor,
} from '@drover/core';
import { asStored, signatureOf } from '@drover/core/format';
import { parityDiagnostics } from './diagnostics.js';
import { inputSpecs, withRanges, type Bounds, type InputSpec } from './input-spec.js';
import { makeInputs } from './inputs.js';
import { isRuntimeFailure, RunningModel } from './load-model.js';
import { matchArrays } from './match-arrays.js';
import { consultOracle, type Oracle } from './oracle.js';
import { pairValues } from './pairing.js';
import { sizesOfRuns, sizings, symbolsFrom, type Sizes } from './sizes.js';

/** How the model that another one is held to is run. */
export interface BaselineOptions {
  /** What may run it: the first that runs its format does, the reference evaluator where none. */
  readonly runtimes: readonly Runtime[];
  /** Arrays to feed, matched with the inputs as {@link matchArrays} does; made when absent. */
  readonly inputs?: ReadonlyMap<string, Tensor> | undefined;
  /** Seed of the inputs that are made; 0 unless told. */
  readonly seed?: number | undefined;
  /** How many runs are made on inputs of their own; 3 unless told, and one where they are given. */
  readonly seeds?: number | undefined;
  /** Sizes of free dimensions, by symbol or by `NAME[AXIS]`; chosen unless told. */
  readonly sizes?: Sizes | undefined;
  /** Lowest and highest values of inputs by name; what the graph admits unless told. */
  readonly ranges?: ReadonlyMap<string, Bounds> | undefined;
  /**
   * The model that will be held to it, and names of inputs that belong to others of it: sizes that
   * it fixes and this one leaves free are chosen.
   */
  readonly partner?: { readonly model: OpenedModel; readonly map?: ReadonlyMap<string, string> };
}

/** One run of a model. */
export interface BaselineRun {
  /** Inputs as the model declares them. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Tensor>;
  /**
   * What the reference evaluator gives for it, computed when it is first asked for; undefined where
   * it cannot, which is told once.
   */
  oracle(): Promise<Oracle | undefined>;
}

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

/** How many runs are made unless told. */
export const defaultSeeds = 3;

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
  try {
    const made = arrays
      ? [await runOnGiven(model, graph, arrays, opened.source.name, report)]
      : await runOnMade(model, graph, options, file, report);
    return {
      graph,
      runs: made.map(({ inputs, outputs, oracle }) => ({
        inputs,
        outputs,
        oracle: oracle
          ? async () => oracle
          : lazyOracle(graph, inputs, model.outputs, file, report),
      })),
      declared: model.outputs,
      inputs: model.inputs,
      seed: arrays ? null : seed,
      runtime: model.runtime,
      idle: arrays ? [] : await idleInputs(model, made),
      report,
      get diagnostics() {
        return report.diagnostics;
      },
    };
  } finally {
    await model.dispose();
  }
}

interface Run {
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** Where the reference evaluator ran it, and was asked for more at once. */
  readonly oracle?: Oracle;
}

/** The first run, which the oracle is asked about in any case. */
async function firstRun(
  model: RunningModel,
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  file: string,
): Promise<Run> {
  if (!model.isReference) return { inputs, outputs: await model.run(inputs) };
  const names = model.outputs.map(({ name }) => name);
  const oracle = await consultOracle(graph, inputs, names, file);
  const outputs = [...oracle.outputs].map(([name, value]) => [name, asStored(value)] as const);
  return { inputs, outputs: new Map(outputs), oracle };
}

async function runOnGiven(
  model: RunningModel,
  graph: Graph,
  arrays: ReadonlyMap<string, Tensor>,
  file: string,
  report: Report,
): Promise<Run> {
  const { values: inputs, diagnostics } = matchArrays(model.inputs, arrays, 'in', file);
  for (const diagnostic of diagnostics) report.add(diagnostic);
  try {
    return await firstRun(model, graph, inputs, file);
  } catch (error) {
    if (!isRuntimeFailure(error)) throw error;
    await model.replace(error);
    return firstRun(model, graph, inputs, file);
  }
}

/**
 * Makes inputs from a seed and runs a model on them, in the first of the sizes that it takes. A
 * runtime that takes none of them is given up for the reference evaluator where that takes one.
 */
async function runOnMade(
  model: RunningModel,
  graph: Graph,
  {
    seed = 0,
    seeds = defaultSeeds,
    sizes: told = new Map(),
    ranges = new Map(),
    partner,
  }: BaselineOptions,
  file: string,
  report: Report,
): Promise<Run[]> {
  const specs = inputSpecs(model.inputs, graph).map((spec): InputSpec => {
    const range = ranges.get(spec.name);
    return range ? { ...spec, range } : spec;
  });
  const given = partner ? new Map([...(await sizesFixedBy(partner, specs)), ...told]) : told;
  const attempt = async (run: number, sizes: Sizes): Promise<Run> => {
    const ranged = withRanges(specs, graph, symbolsFrom(specs, sizes, graph));
    const inputs = makeInputs(ranged, { seed, run, sizes });
    if (run === 0) return firstRun(model, graph, inputs, file);
    return { inputs, outputs: await model.run(inputs) };
  };
  const batch = isBatchAlone(specs) ? 1 : 2;
  const choices = sizings(specs, graph, { given, batch });
  const first = async () => {
    let used = choices[0]!;
    const made = await firstThatRuns(choices.map((sizes) => () => attempt(0, (used = sizes))));
    if (!made.run) throw made.failure;
    return { sizes: used, run: made.run };
  };
  let found: { sizes: Sizes; run: Run };
  try {
    found = await first();
  } catch (error) {
    if (!isRuntimeFailure(error) || model.isReference) throw noInputs(error, specs, file);
    await model.replace(error);
    found = await first().catch((second: unknown) => {
      throw noInputs(second, specs, file);
    });
  }
  const runs = [found.run];
  for (const [i, sizes] of (await sizesOfRuns(specs, graph, found.sizes, given, seeds)).entries()) {
    if (i === 0) continue;
    // Sizes that were chosen to see more may not fit: those of the first run do.
    const later = [sizes, found.sizes].map((each) => () => attempt(i, each));
    const made = await firstThatRuns(later);
    if (made.run) runs.push(made.run);
    else
      report.add(
        parityDiagnostics.diagnostic('run-left-out', {
          message: `The run ${i + 1} of ${seeds} is left out: ${made.failure.diagnostics[0]!.message}`,
          origin: { file },
        }),
      );
  }
  return runs;
}

/** What the first attempt gives that does not fail, or the failure of the first. */
async function firstThatRuns(
  attempts: readonly (() => Promise<Run>)[],
): Promise<{ readonly run: Run } | { readonly run: undefined; readonly failure: DroverError }> {
  let failure: DroverError | undefined;
  for (const attempt of attempts)
    try {
      return { run: await attempt() };
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
      failure ??= error;
    }
  return { run: undefined, failure: failure! };
}

/** Sizes of free dimensions that another model fixes in the inputs that belong to these. */
async function sizesFixedBy(
  { model, map }: NonNullable<BaselineOptions['partner']>,
  specs: readonly InputSpec[],
): Promise<Sizes> {
  const { graph } = await readModel(model, new Report());
  const { inputs } = signatureOf(graph);
  const sizes = new Map<string, number>();
  for (const { first, second } of pairValues(specs, inputs, map)) {
    const free = specs.find(({ name }) => name === first)!.shape;
    const fixed = inputs.find(({ name }) => name === second)!.shape;
    if (fixed?.length !== free.length) continue;
    free.forEach((dim, axis) => {
      const size = fixed[axis];
      if (typeof dim !== 'number' && typeof size === 'number')
        sizes.set(dim ?? `${first}[${axis}]`, size);
    });
  }
  return sizes;
}

/** Whether leading dimensions are all that is free. */
const isBatchAlone = (specs: readonly InputSpec[]) =>
  specs.every(({ shape }) => shape.every((dim, axis) => axis === 0 || typeof dim === 'number'));

/** The error of a model that takes no inputs, or the cause where no size was open. */
function noInputs(cause: unknown, specs: readonly InputSpec[], file: string): unknown {
  const hasFree = specs.some(({ shape }) => shape.some((dim) => typeof dim !== 'number'));
  if (!(cause instanceof DroverError) || !hasFree) return cause;
  return parityDiagnostics.error('no-inputs', {
    message: `${file} leaves sizes of its inputs open and does not run with those that were tried: ${cause.diagnostics[0]!.message}`,
    origin: { file },
  });
}

/**
 * Inputs that no output moves with: each in turn gets the values of a later run, where that has the
 * same shapes.
 */
async function idleInputs(model: RunningModel, runs: readonly Run[]): Promise<string[]> {
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

/** The oracle of a run when it is first asked for; none, and `parity/no-oracle`, where it fails. */
function lazyOracle(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  declared: readonly Signature[],
  file: string,
  report: Report,
): () => Promise<Oracle | undefined> {
  let asked: Promise<Oracle | undefined> | undefined;
  const names = declared.map(({ name }) => name);
  const consult = async () => {
    try {
      return await consultOracle(graph, inputs, names, file);
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
  };
  return () => (asked ??= consult());
}
