import {
  bindInputs,
  DroverError,
  Evaluator,
  Graph,
  printGraph,
  toNumbers,
  type Dim,
  type DType,
  Model,
  type Tensor,
  type Value,
} from '@drover/core';
import fc, { type GeneratorValue } from 'fast-check';

/** A choice among things, and a number of a range, as fast-check can shrink them. */
export interface Draw {
  of<const T>(...choices: readonly T[]): T;
  between(least: number, most: number): number;
}

/** Draws of a run of fast-check. */
export const drawFrom = (g: GeneratorValue): Draw => ({
  of: (...choices) => choices[g(fc.nat, { max: choices.length - 1 })]!,
  between: (least, most) => g(fc.integer, { min: least, max: most }),
});

/** Small integers in no order to speak of. */
export const numbers = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => ((i * 7 + seed * 13 + 3) % 11) - 5);

/** A graph over one input under construction, whose sizes may be names. */
export class Build {
  readonly graph = new Graph();
  readonly values: Value[] = [];
  #seed = 1;

  constructor(
    readonly draw: Draw,
    readonly dtype: DType,
    readonly input: Tensor,
    shape: readonly Dim[],
  ) {
    this.values.push(this.graph.input('x', dtype, shape));
  }

  /** A value that is there, mostly the last, because patterns are chains. */
  operand(): Value {
    return this.draw.between(0, 3) > 0 ? this.values.at(-1)! : this.draw.of(...this.values);
  }

  /** A constant of small integers. */
  constant(...shape: readonly number[]): Value {
    const count = shape.reduce((a, b) => a * b, 1);
    return this.graph.literal(this.dtype, shape, numbers(count, this.#seed++));
  }
}

/**
 * Adds at most `most` nodes and makes the last values outputs; nodes that do not fit together are
 * left out.
 */
export function grow(build: Build, most: number, add: (build: Build) => Value | undefined): void {
  for (let i = build.draw.between(1, most); i > 0; i--) {
    try {
      const made = add(build);
      if (made) build.values.push(made);
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
    }
  }
  build.values
    .slice(-build.draw.of(1, 2))
    .forEach((value, i) => build.graph.output(`y${i}`, value));
}

/** A graph as a model. */
export const modelOf = (graph: Graph): Model => new Model(graph);

/**
 * What a graph computes; undefined where sizes that are names turn out not to fit, or leave a value
 * without elements, which runtimes refuse.
 */
export async function truthOf(
  graph: Graph,
  input: Tensor,
): Promise<ReadonlyMap<string, Tensor> | undefined> {
  try {
    const evaluator = new Evaluator(graph, bindInputs(graph, [input]));
    for (let step = await evaluator.step(); step; step = await evaluator.step())
      if (step.outputs.some(({ shape }) => shape.includes(0))) return undefined;
    const results = await evaluator.run();
    return new Map(graph.outputs.map(({ name }, i) => [name, results[i]!]));
  } catch (error) {
    if (error instanceof DroverError) return undefined;
    throw error;
  }
}

/** Fails with the text of the graph unless all results are near to what it computes. */
export function expectNear(
  graph: Graph,
  results: readonly (Tensor | undefined)[],
  truth: ReadonlyMap<string, Tensor>,
  tolerance: number,
): void {
  const wrong = [...truth.values()].flatMap((expected, i) => {
    const values = results[i] && toNumbers(results[i]);
    const wanted = toNumbers(expected);
    const scale = wanted.reduce(
      (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
      1,
    );
    const isNear = (a: number, b: number) =>
      Object.is(a, b) || Math.abs(a - b) <= tolerance * scale;
    const isSame =
      results[i]?.shape.join() === expected.shape.join() &&
      values!.every((value, at) => isNear(value, wanted[at]!));
    return isSame
      ? []
      : [
          {
            output: i,
            shape: results[i]?.shape,
            values: values && [...values].slice(0, 8),
            wanted: [...wanted].slice(0, 8),
          },
        ];
  });
  if (wrong.length > 0) expect({ graph: printGraph(graph), wrong }).toBe('near');
}
