import type { Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Evaluation } from './evaluation.js';
import type { Plan } from './plan.js';
import type { PathEntry } from './step.js';

/**
 * A graph on its way: which node's turn it is, and the tensors that are still needed. Constants are
 * read when a node first asks for them and let go like everything else.
 */
export class Frame {
  #at = 0;
  readonly #alive = new Map<Value, Tensor>();
  readonly #uses: Map<Value, number>;
  readonly #held = new Set<Value>();
  /** The node that was told last: what only it used goes when the next one is asked for. */
  #told: Node | undefined;

  constructor(
    readonly plan: Plan,
    given: Iterable<readonly [Value, Tensor]>,
    /** Sizes of the named dimensions. */
    readonly sizes: ReadonlyMap<string, number>,
    /** Gives what stands for the tensor of a constant. */
    readonly amendConstant?: (constant: Value, tensor: Tensor) => Tensor,
    /** The bodies around the nodes of this graph. */
    readonly path: readonly PathEntry[] = [],
    /** The node that waits for this body, and the frame that it is in. */
    readonly caller?: { readonly frame: Frame; readonly evaluation: Evaluation },
  ) {
    this.#uses = new Map(plan.uses);
    for (const [value, tensor] of given) if (this.#uses.has(value)) this.#alive.set(value, tensor);
  }

  /** Lets go what nothing needs any more and gives the node whose turn it is. */
  next(): Node | undefined {
    const told = this.#told;
    this.#told = undefined;
    if (told) {
      for (const value of told.dependencies()) {
        this.#uses.set(value, this.#uses.get(value)! - 1);
        this.#drop(value);
      }
      for (const value of told.outputs) this.#drop(value);
    }
    return this.plan.order[this.#at];
  }

  /** The operands of a node; its captures are alive from then on, too. */
  async operands(node: Node): Promise<(Tensor | undefined)[]> {
    const operands: (Tensor | undefined)[] = [];
    for (const value of node.inputs) operands.push(value && (await this.#read(value)));
    for (const { captures } of Object.values(node.regions))
      for (const value of captures) await this.#read(value);
    return operands;
  }

  /** Takes in what the node whose turn it is made. */
  finish(node: Node, outputs: readonly Tensor[]): void {
    node.outputs.forEach((value, i) => this.#alive.set(value, outputs[i]!));
    this.#at++;
    this.#told = node;
  }

  /** A tensor that is alive. */
  tensor(value: Value): Tensor | undefined {
    return this.#alive.get(value);
  }

  /** Keeps a value once it is there. */
  hold(value: Value): void {
    this.#held.add(value);
  }

  /** Takes a hold back. */
  release(value: Value): void {
    this.#held.delete(value);
    this.#drop(value);
  }

  /** The wanted tensors, at the end. */
  async results(): Promise<readonly Tensor[]> {
    const results: Tensor[] = [];
    for (const value of this.plan.wanted) results.push(await this.#read(value));
    return results;
  }

  #drop(value: Value): void {
    if (!this.#uses.get(value) && !this.#held.has(value)) this.#alive.delete(value);
  }

  async #read(value: Value): Promise<Tensor> {
    const known = this.#alive.get(value);
    if (known) return known;
    const stored = await value.constant!.tensor();
    const read = this.amendConstant?.(value, stored) ?? stored;
    this.#alive.set(value, read);
    return read;
  }
}
