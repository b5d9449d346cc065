import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import type { Rounding } from '../ops/rounding.js';
import type { Tensor } from '../tensor/tensor.js';
import { bindSizes } from './bind-sizes.js';
import { Evaluation, type Progress } from './evaluation.js';
import { Frame } from './frame.js';
import { planOf, type Plan } from './plan.js';
import type { Step } from './step.js';

/** What an evaluator may be told beside a graph and tensors. */
export interface EvaluatorOptions {
  /** Values of the graph to evaluate; its outputs unless told. */
  readonly wanted?: readonly Value[];
  /** Sizes of named dimensions that no given tensor tells. */
  readonly sizes?: ReadonlyMap<string, number>;
  /** Gives what stands for a node's results from then on; those that the step shows unless told. */
  readonly amend?: (step: Step) => readonly Tensor[];
  /**
   * Gives what stands for the operands of a node whose results may jump, before it is evaluated;
   * `rounding` is what it loses before they do.
   */
  readonly amendOperands?: (
    operands: readonly (Tensor | undefined)[],
    rounding: Rounding,
  ) => readonly (Tensor | undefined)[];
  /** The same for a constant, when it is read. */
  readonly amendConstant?: (constant: Value, tensor: Tensor) => Tensor;
}

/**
 * Evaluates a graph node by node, in float64 for every float type. It may start anywhere: the
 * tensors are for any values of the graph, and only the nodes between them and the wanted values
 * are evaluated. It may stop anywhere: whoever asks for no further step has nothing to close. Two
 * of them can be driven side by side.
 *
 * A tensor is let go after its last use, so memory holds only those alive. What a step shows stays
 * alive until the next step is asked for: to keep it longer, hold the value or the tensor.
 */
export class Evaluator {
  readonly #outermost: Frame;
  /** The innermost graph that is under way. */
  #frame: Frame;
  readonly #plans = new Map<Graph, Plan>();
  readonly #amend: EvaluatorOptions['amend'];
  readonly #amendOperands: EvaluatorOptions['amendOperands'];
  readonly #amendConstant: EvaluatorOptions['amendConstant'];

  /**
   * Throws `core/missing-input` for an input that is needed and not given, `core/input-type` and
   * `core/input-shape` for a tensor that does not fit its value.
   */
  constructor(
    graph: Graph,
    given: ReadonlyMap<Value, Tensor>,
    {
      wanted = graph.outputs.map(({ value }) => value),
      sizes = new Map(),
      amend,
      amendOperands,
      amendConstant,
    }: EvaluatorOptions = {},
  ) {
    const plan = planOf(wanted, (value) => given.has(value));
    this.#amend = amend;
    this.#amendOperands = amendOperands;
    this.#amendConstant = amendConstant;
    this.#frame = this.#outermost = new Frame(
      plan,
      given,
      bindSizes(given, sizes, false),
      amendConstant,
    );
  }

  /**
   * Evaluates one node and tells what it did; undefined when everything wanted is there. Nodes in
   * bodies come trip by trip, before the node that has the body. A step is to be awaited before the
   * next is asked for. Throws what the operator throws, and the evaluator is of no use afterwards.
   */
  async step(): Promise<Step | undefined> {
    for (;;) {
      const frame = this.#frame;
      const node = frame.next();
      let evaluation: Evaluation;
      let progress: Progress;
      if (node) {
        evaluation = new Evaluation(node, await frame.operands(node), frame.sizes);
        if (this.#amendOperands && evaluation.jumps) {
          const operands = this.#amendOperands(evaluation.inputs, evaluation.rounding([]));
          evaluation = new Evaluation(node, operands, frame.sizes);
        }
        progress = await evaluation.start();
      } else if (frame.caller) {
        ({ evaluation } = frame.caller);
        this.#frame = frame.caller.frame;
        progress = await evaluation.resume(await frame.results());
      } else return undefined;
      if ('outputs' in progress) {
        const made = stepOf(evaluation, this.#frame.path, progress.outputs);
        const step = this.#amend ? stepOf(evaluation, this.#frame.path, this.#amend(made)) : made;
        this.#frame.finish(evaluation.node, step.outputs);
        return step;
      }
      this.#frame = this.#enter(this.#frame, evaluation, progress);
    }
  }

  /**
   * Steps to the end and gives the wanted tensors, in order. `visit` is shown each step, and
   * awaited.
   */
  async run(visit?: (step: Step) => unknown): Promise<readonly Tensor[]> {
    for (let step = await this.step(); step; step = await this.step()) await visit?.(step);
    return this.#outermost.results();
  }

  /**
   * The tensor of a value of the graph (not of a body) while it is alive: given or made, and still
   * needed, wanted or held.
   */
  tensor(value: Value): Tensor | undefined {
    return this.#outermost.tensor(value);
  }

  /** Keeps a value of the graph that is alive, or that will be, until it is released. */
  hold(value: Value): void {
    this.#outermost.hold(value);
  }

  /** Lets a held value go as soon as nothing else needs it. */
  release(value: Value): void {
    this.#outermost.release(value);
  }

  #enter(
    frame: Frame,
    evaluation: Evaluation,
    { body, trip, parameters }: Exclude<Progress, { outputs: unknown }>,
  ): Frame {
    const { node } = evaluation;
    const { graph, captures } = new Map(Object.entries(node.regions)).get(body)!;
    const values = [...parameters, ...captures.map((value) => frame.tensor(value)!)];
    const given = graph.inputs.map((input, i) => [input, values[i]!] as const);
    let plan = this.#plans.get(graph);
    if (!plan) {
      const inputs = new Set(graph.inputs);
      plan = planOf(
        graph.outputs.map(({ value }) => value),
        (value) => inputs.has(value),
      );
      this.#plans.set(graph, plan);
    }
    const path = [...frame.path, { node, body, trip }];
    const sizes = bindSizes(given, frame.sizes, true);
    return new Frame(plan, given, sizes, this.#amendConstant, path, { frame, evaluation });
  }
}

/** What rounding does costs a look at every operand, so it is found when it is asked for. */
function stepOf(evaluation: Evaluation, path: Step['path'], outputs: readonly Tensor[]): Step {
  const { node, inputs } = evaluation;
  let rounding: Step['rounding'] | undefined;
  return {
    node,
    path,
    inputs,
    outputs,
    get rounding() {
      return (rounding ??= evaluation.rounding(outputs));
    },
    get jumps() {
      return evaluation.jumps;
    },
  };
}
