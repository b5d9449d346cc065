import {
  DroverError,
  readModel,
  Report,
  type Graph,
  type OpenedModel,
  type Runtime,
  type Tensor,
} from '@drover/core';
import { asStored, signatureOf } from '@drover/core/format';
import { parityDiagnostics } from './diagnostics.js';
import { inputSpecs, withRanges, type Bounds, type InputSpec } from './input-spec.js';
import { makeInputs } from './inputs.js';
import { isRuntimeFailure, type RunningModel } from './load-model.js';
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

/** How many runs are made unless told. */
export const defaultSeeds = 3;

/** A model that runs, and where what is found goes. */
interface Running {
  readonly model: RunningModel;
  readonly graph: Graph;
  /** What messages name. */
  readonly file: string;
  readonly report: Report;
}

/** Runs it on arrays that were given, of a file; in the reference evaluator where it fails. */
export async function runOnGiven(
  running: Running,
  arrays: ReadonlyMap<string, Tensor>,
  file: string,
): Promise<BaselineRun> {
  const { model, report } = running;
  const { values: inputs, diagnostics } = matchArrays(model.inputs, arrays, 'in', file);
  for (const diagnostic of diagnostics) report.add(diagnostic);
  try {
    return await firstRun(running, inputs);
  } catch (error) {
    if (!isRuntimeFailure(error)) throw error;
    await model.replace(error);
    return firstRun(running, inputs);
  }
}

/** The first run, which the oracle is asked about in any case. */
async function firstRun(
  running: Running,
  inputs: ReadonlyMap<string, Tensor>,
): Promise<BaselineRun> {
  const { model, graph, file } = running;
  if (!model.isReference) return laterRun(running, inputs);
  const oracle = await consultOracle(graph, inputs, namesOf(model), file);
  const outputs = [...oracle.outputs].map(([name, value]) => [name, asStored(value)] as const);
  return { inputs, outputs: new Map(outputs), oracle: async () => oracle };
}

async function laterRun(
  running: Running,
  inputs: ReadonlyMap<string, Tensor>,
): Promise<BaselineRun> {
  const outputs = await running.model.run(inputs);
  return { inputs, outputs, oracle: lazyOracle(running, inputs) };
}

const namesOf = ({ outputs }: RunningModel) => outputs.map(({ name }) => name);

/**
 * Makes inputs from a seed and runs a model on them, in the first of the sizes that it takes. A
 * runtime that takes none of them is given up for the reference evaluator where that takes one.
 */
export async function runOnMade(
  running: Running,
  {
    seed = 0,
    seeds = defaultSeeds,
    sizes: told = new Map(),
    ranges = new Map(),
    partner,
  }: BaselineOptions,
): Promise<BaselineRun[]> {
  const { model, graph, file, report } = running;
  const specs = inputSpecs(model.inputs, graph).map((spec): InputSpec => {
    const range = ranges.get(spec.name);
    return range ? { ...spec, range } : spec;
  });
  const fixed = partner && hasFree(specs) ? await sizesFixedBy(partner, specs) : new Map();
  const given = new Map<string, number>([...fixed, ...told]);
  const attempt = async (run: number, sizes: Sizes): Promise<BaselineRun> => {
    const ranged = withRanges(specs, graph, symbolsFrom(specs, sizes, graph));
    const inputs = makeInputs(ranged, { seed, run, sizes });
    return run === 0 ? firstRun(running, inputs) : laterRun(running, inputs);
  };
  const batch = isBatchAlone(specs) ? 1 : 2;
  const choices = sizings(specs, graph, { given, batch });
  const first = async () => {
    let used = choices[0]!;
    const made = await firstThatRuns(choices.map((sizes) => () => attempt(0, (used = sizes))));
    if (!made.run) throw made.failure;
    return { sizes: used, run: made.run };
  };
  let found: { sizes: Sizes; run: BaselineRun };
  try {
    found = await first();
  } catch (error) {
    if (!isRuntimeFailure(error) || model.isReference) throw noInputs(error, specs, file);
    await model.replace(error);
    found = await first().catch((second: unknown) => {
      throw noInputs(second, specs, file);
    });
  }
  // The evaluator is at work while the runtime is. Whoever asks for the oracle sees what it throws.
  found.run.oracle().catch(() => {});
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
  attempts: readonly (() => Promise<BaselineRun>)[],
): Promise<
  { readonly run: BaselineRun } | { readonly run: undefined; readonly failure: DroverError }
> {
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

const hasFree = (specs: readonly InputSpec[]) =>
  specs.some(({ shape }) => shape.some((dim) => typeof dim !== 'number'));

/** Whether leading dimensions are all that is free. */
const isBatchAlone = (specs: readonly InputSpec[]) =>
  specs.every(({ shape }) => shape.every((dim, axis) => axis === 0 || typeof dim === 'number'));

/** The error of a model that takes no inputs, or the cause where no size was open. */
function noInputs(cause: unknown, specs: readonly InputSpec[], file: string): unknown {
  if (!(cause instanceof DroverError) || !hasFree(specs)) return cause;
  return parityDiagnostics.error('no-inputs', {
    message: `${file} leaves sizes of its inputs open and does not run with those that were tried: ${cause.diagnostics[0]!.message}`,
    origin: { file },
  });
}

/** The oracle of a run when it is first asked for; none, and `parity/no-oracle`, where it fails. */
function lazyOracle(
  { model, graph, file, report }: Running,
  inputs: ReadonlyMap<string, Tensor>,
): () => Promise<Oracle | undefined> {
  let asked: Promise<Oracle | undefined> | undefined;
  const names = namesOf(model);
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
