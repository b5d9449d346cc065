import { bindInputs, type Graph, type Tensor, type Value } from '@drover/core';
import { fitInputs, roundingConfidence, signatureOf } from '@drover/core/format';
import type { Shares } from './contributions.js';
import { errorOf, type ErrorSize } from './error-size.js';
import { sampleFreely, sampleRounding, type Errors, type Sample, type Tie } from './monte-carlo.js';
import type { Reach } from './reach.js';
import { renamed } from './rename.js';

/** What rounding does to an output of a graph on some inputs. */
export interface ExpectedError extends ErrorSize {
  /** How many random elements it is estimated from. */
  readonly count: number;
  /** Which operators make it: their shares, by their names in core, the largest first. */
  readonly shares: Shares;
}

/** What the reference evaluator gave for a model, by the names of its outputs. */
export interface Oracle {
  /** Float results in float64. */
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** How far a plain implementation in the types of the model is off, where outputs are floats. */
  readonly expected: ReadonlyMap<string, ExpectedError>;
  /** Whether a result in the graph may jump. */
  readonly jumps: boolean;
  /** What of the graph had a say. */
  readonly reach: Reach;
  /** Results that rounding errors may turn, the first of them. */
  ties(): Promise<readonly Tie[]>;
  /**
   * The outputs of a run with rounding errors of so many times the expected size, in which results
   * jump as the errors have it. Equal arguments are computed once.
   */
  another(seed: number, amplitude: number): Promise<ReadonlyMap<string, Tensor>>;
}

/** Elements of an output below which more than one sample is taken, and the most samples. */
const enoughElements = 16;
const mostSamples = 8;

/** How ties are looked for: with errors that no correct implementation exceeds. */
export const tieAmplitude = roundingConfidence;

/**
 * Evaluates a graph, and estimates by Monte Carlo arithmetic what rounding does to each of its
 * outputs (see `sampleRounding`). Inputs and outputs go by the names that the model's runtime uses,
 * else by their place; `file` is what messages name. `storage` tells by how much the elements of a
 * constant may be off. Throws what `fitInputs` and the operators throw: `core/not-evaluable` for
 * what has no meaning in core.
 */
export async function consultOracle(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  names: readonly string[],
  file: string,
  storage?: Errors['storage'],
): Promise<Oracle> {
  const given = givenFor(graph, inputs, file);
  const first = await sampleRounding(graph, given, { seed: 1, storage });
  const samples = [first.rounded, ...(await more(graph, given, first, storage))];
  const byName = <T>(values: readonly T[]) => {
    const own = new Map(graph.outputs.map(({ name }, i) => [name, values[i]!]));
    return renamed(own, names);
  };
  const free = new Map<string, Promise<ReadonlyMap<string, Tensor>>>();
  const expected = first.exact.map((exact, i): ExpectedError => {
    const errors = samples.map((sample) => errorOf(sample[i]!, exact));
    const counts = errors.reduce((sum, { count }) => sum + count, 0);
    const squares = errors.reduce((sum, { rms, count }) => sum + rms ** 2 * count, 0);
    return {
      rms: Math.sqrt(squares / Math.max(counts, 1)),
      max: Math.max(...errors.map(({ max }) => max)),
      count: counts,
      shares: first.shares[i]!,
    };
  });
  return {
    outputs: byName(first.exact),
    expected: byName(expected),
    jumps: first.jumps,
    reach: first.reach,
    ties: once(async () => {
      for (let seed = 1; seed <= mostSamples; seed++) {
        const errors = { seed, amplitude: tieAmplitude, storage };
        const { ties } = await sampleRounding(graph, given, errors);
        if (ties.length > 0) return ties;
      }
      return [];
    }),
    another: (seed, amplitude) => {
      const key = `${seed} ${amplitude}`;
      const known = free.get(key);
      if (known) return known;
      const made = sampleFreely(graph, given, { seed, amplitude, storage }).then(byName);
      free.set(key, made);
      return made;
    },
  };
}

/**
 * Tensors for the inputs of a graph, in its types: by its names, else by their place. Throws what
 * `fitInputs` does.
 */
export function givenFor(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  file: string,
): Map<Value, Tensor> {
  const declared = signatureOf(graph).inputs;
  const names = declared.map(({ name }) => name);
  return bindInputs(graph, fitInputs(declared, renamed(inputs, names), file));
}

/** The result of a function that is called when it is first asked for. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** Further samples where an output has too few elements to tell from one. */
async function more(
  graph: Graph,
  given: ReadonlyMap<Value, Tensor>,
  { exact, jumps }: Sample,
  storage: Errors['storage'],
): Promise<(readonly Tensor[])[]> {
  const least = Math.min(...exact.map(({ data }) => Math.max(data.length, 1)));
  const count = Math.min(mostSamples, Math.ceil(enoughElements / least)) - 1;
  const samples: (readonly Tensor[])[] = [];
  for (let seed = 2; seed < 2 + count; seed++) {
    const errors = { seed, storage };
    // Where nothing jumps there is nothing to hold to the exact evaluation.
    samples.push(
      jumps
        ? (await sampleRounding(graph, given, errors)).rounded
        : await sampleFreely(graph, given, errors),
    );
  }
  return samples;
}
