import { attrsOf, byName, flatten, type Node } from '../graph/node.js';
import type { Attrs, ResolvedAttrs } from '../ops/attr.js';
import type { EvaluateContext, Operands, PerOperand } from '../ops/define-op.js';
import type { Rounding } from '../ops/rounding.js';
import { evaluateDim } from '../tensor/dim.js';
import { isFloat } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';

/** How far a node has come: it has made its results, or it waits for those of a body. */
export type Progress =
  | { readonly outputs: readonly Tensor[] }
  | {
      readonly body: string;
      /** How many times the node ran that body before. */
      readonly trip: number;
      readonly parameters: readonly Tensor[];
    };

/**
 * One node at work. An operator runs a body by calling a function and waiting for it; here that
 * call comes back to whoever drives the node, who runs the body as it likes and hands in the
 * results. An operator runs one body at a time.
 */
export class Evaluation {
  readonly #attrs: ResolvedAttrs<Attrs>;
  readonly #trips = new Map<string, number>();
  #tell!: (progress: Progress) => void;
  #fail!: (error: unknown) => void;
  #answer!: (results: readonly Tensor[]) => void;

  constructor(
    readonly node: Node,
    readonly inputs: readonly (Tensor | undefined)[],
    /** Sizes of the named dimensions. */
    readonly sizes: ReadonlyMap<string, number>,
  ) {
    this.#attrs = Object.fromEntries(
      attrsOf(node).map(([name, attr, value]) => [name, attr.resolve(value, sizes)]),
    ) as ResolvedAttrs<Attrs>;
  }

  /** How far a correct float implementation of the node may be off its results. */
  rounding(results: readonly Tensor[]): Rounding {
    const { op } = this.node;
    const shapes = byName(
      op.inputs,
      this.inputs.map((tensor) => tensor?.shape),
    ) as PerOperand<Operands, readonly number[]>;
    const rounding = op.rounding(shapes, this.#attrs);
    const isWhole = !this.node.outputs.some(({ dtype }) => isFloat(dtype));
    if (!op.termSquares || rounding.of !== 'terms' || isWhole) return rounding;
    const operands = byName(op.inputs, this.inputs) as PerOperand<Operands, Tensor>;
    return { ...rounding, squares: op.termSquares(operands, this.#attrs, results[0]!) };
  }

  /** Whether a result jumps where a float operand passes a place. */
  get jumps(): boolean {
    const { op, inputs, outputs } = this.node;
    const reads = inputs.some((value) => value && isFloat(value.dtype));
    return (
      reads &&
      (op.jumps?.(this.#attrs) === true ||
        (!op.regions &&
          outputs.some(({ dtype }) => !isFloat(dtype) && !dtype.startsWith('complex'))))
    );
  }

  /** Begins. Throws what the operator throws. */
  start(): Promise<Progress> {
    const progress = this.#progress();
    this.#evaluate().then((outputs) => this.#tell({ outputs }), this.#failed);
    return progress;
  }

  /** Goes on with the results of the body that was waited for. Throws what the operator throws. */
  resume(results: readonly Tensor[]): Promise<Progress> {
    const progress = this.#progress();
    this.#answer(results);
    return progress;
  }

  readonly #failed = (error: unknown) => this.#fail(error);

  #progress(): Promise<Progress> {
    return new Promise((tell, fail) => {
      this.#tell = tell;
      this.#fail = fail;
    });
  }

  async #evaluate(): Promise<readonly Tensor[]> {
    const { op, outputs, regions } = this.node;
    const context: EvaluateContext = {
      resultCount: outputs.length,
      results: (body) =>
        regions[body]!.graph.outputs.map(({ value: { dtype, shape } }) => ({
          dtype,
          shape: shape?.map((dim) => evaluateDim(dim, this.sizes) ?? dim),
        })),
      run: (body, parameters) =>
        new Promise((answer) => {
          const trip = this.#trips.get(body) ?? 0;
          this.#trips.set(body, trip + 1);
          this.#answer = answer;
          this.#tell({ body, trip, parameters });
        }),
    };
    const operands = byName(op.inputs, this.inputs) as PerOperand<Operands, Tensor>;
    const made = await op.evaluate(operands, this.#attrs, context);
    return flatten<Tensor>(op.outputs, made).filter((tensor) => tensor !== undefined);
  }
}
