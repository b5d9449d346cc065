import {
  Evaluator,
  isFloat,
  type Graph,
  type Node,
  type PathEntry,
  type Step,
  type Tensor,
  type Value,
} from '@drover/core';
import { roundingAllowance, roundingConfidence, type Rounding } from '@drover/core/format';
import { Contributions, type Shares } from './contributions.js';
import { Noise } from './noise.js';
import { Reach } from './reach.js';
import type { StorageStep } from './storage-step.js';

/** How large errors are made. */
export interface Errors {
  /** Equal seeds give equal errors. */
  readonly seed: number;
  /** Their standard deviation, in that of a plain implementation; 1 unless told. */
  readonly amplitude?: number;
  /** How far the elements of a constant may be off by the way it is stored; nothing unless told. */
  readonly storage?: ((constant: Value) => StorageStep | undefined) | undefined;
}

/** An element of a result that jumps within the rounding errors of what it is made from. */
export interface Tie {
  readonly node: Node;
  /** The bodies around the node. */
  readonly path: readonly PathEntry[];
  /** Which of the node's results, and which of its elements in C order. */
  readonly output: number;
  readonly element: number;
}

/** A graph evaluated exactly, and once more with rounding errors. */
export interface Sample {
  /** In the order of the graph's outputs, in float64. */
  readonly exact: readonly Tensor[];
  readonly rounded: readonly Tensor[];
  /** Shares of the operators in what each output is off, by their names in core. */
  readonly shares: readonly Shares[];
  /** Whether a node was met whose results may jump. */
  readonly jumps: boolean;
  /** Results that jumped with these errors, the first of them. */
  readonly ties: readonly Tie[];
  /** What had a say in the exact evaluation. */
  readonly reach: Reach;
}

/** How many ties a sample names. */
const mostTies = 64;

/**
 * A result jumped when it is off by more than this share of its magnitude, which no rounding error
 * of a float type is.
 */
const leastJump = 2 ** -6;

/**
 * Evaluates a graph in float64 twice, node by node side by side: exactly, and with a random error
 * on every float result as large as a plain implementation in the result's type makes it (Monte
 * Carlo arithmetic, Parker 1997). How far both are apart at an output is what rounding does to it,
 * with all that the network amplifies, damps and loses in loops and branches. Results that jump are
 * held to the exact evaluation, so that both take the same way, and told as ties. Throws what
 * operators throw.
 */
export async function sampleRounding(
  graph: Graph,
  given: ReadonlyMap<Value, Tensor>,
  errors: Errors,
): Promise<Sample> {
  const contributions = new Contributions();
  const reach = new Reach();
  const ties: Tie[] = [];
  let leader: Step | undefined;
  let carried: readonly Tensor[] = [];
  let jumps = false;
  const exact = new Evaluator(graph, given);
  const disturb = disturbance(errors);
  const follower = new Evaluator(graph, given, {
    ...disturb,
    amend: (step) => {
      carried = step.outputs;
      const made = disturb.amend(step);
      if (!step.jumps) return made;
      jumps = true;
      return made.map((tensor, output) =>
        held(tensor, leader!.outputs[output]!, (element) => {
          const { node, path } = step;
          if (ties.length < mostTies) ties.push({ node, path, output, element });
        }),
      );
    },
  });
  while ((leader = await exact.step())) {
    reach.add(leader);
    const step = await follower.step();
    contributions.add(leader, carried, step!.outputs);
  }
  return {
    exact: await exact.run(),
    rounded: await follower.run(),
    shares: graph.outputs.map(({ value }) => contributions.of(value)),
    jumps,
    ties,
    reach,
  };
}

/**
 * Evaluates a graph with random errors alone, as {@link sampleRounding} makes them, and lets
 * results jump as the errors have it: one of the ways that a runtime may go.
 */
export async function sampleFreely(
  graph: Graph,
  given: ReadonlyMap<Value, Tensor>,
  errors: Errors,
): Promise<readonly Tensor[]> {
  return new Evaluator(graph, given, disturbance(errors)).run();
}

const deviationsOf = ({ amplitude = 1 }: Errors) => amplitude / roundingConfidence;

/** The errors that an evaluator makes. */
function disturbance(errors: Errors) {
  const noise = new Noise(errors.seed);
  const { storage } = errors;
  return {
    amend: ({ outputs, rounding }: Step) =>
      outputs.map((made) => {
        const allowance = roundingAllowance(rounding, made);
        return allowance ? noise.addTo(made, allowance, deviationsOf(errors)) : made;
      }),
    // A code of quantisation is the rounded value of a quotient, which is rounded itself.
    amendOperands: (operands: readonly (Tensor | undefined)[], rounding: Rounding) => {
      const [first, ...others] = operands;
      const allowance = first && roundingAllowance(rounding, first);
      return allowance
        ? [noise.addTo(first, allowance, deviationsOf(errors)), ...others]
        : operands;
    },
    ...(storage && {
      amendConstant: (constant: Value, stored: Tensor) => {
        const step = storage(constant);
        return step ? noise.addStep(stored, step) : stored;
      },
    }),
  };
}

/** A result with what jumped put back; `tell` is told the elements. */
function held(made: Tensor, exact: Tensor, tell: (element: number) => void): Tensor {
  if (made.shape.join() !== exact.shape.join()) {
    tell(0);
    return exact;
  }
  const isNumber = isFloat(made.dtype) || made.dtype.startsWith('complex');
  let data = made.data;
  for (let i = 0; i < exact.data.length; i++) {
    const [x, y] = [made.data[i]!, exact.data[i]!];
    if (Object.is(x, y) || (isNumber && !isJump(x as number, y as number))) continue;
    tell(i);
    if (data === made.data) data = made.data.slice() as Tensor['data'];
    (data as (typeof x)[])[i] = y;
  }
  return data === made.data ? made : ({ ...made, data } as Tensor);
}

function isJump(x: number, y: number): boolean {
  return !(Math.abs(x - y) <= leastJump * Math.max(Math.abs(x), Math.abs(y)));
}
