import type { Graph, PathStep, Value } from '@drover/core';
import type { AttrValue, NodeDef } from '../codec/graph-def.js';
import { outputPosition, parseInput } from '../codec/operator.js';
import type { OpDef } from '../codec/graph-def.js';
import { graphdefDiagnostics } from '../diagnostics.js';

/**
 * What the nodes of one graph, or of one call of a function, refer to: results of nodes and the
 * function's arguments, by name.
 */
export class Scope {
  readonly #results = new Map<string, readonly (Value | undefined)[]>();

  constructor(
    readonly graph: Graph,
    readonly file: string,
    private readonly nodes: ReadonlyMap<string, NodeDef>,
    private readonly functions: ReadonlyMap<string, OpDef>,
    /** The way to these nodes from those of the main graph. */
    readonly path: readonly PathStep[] = [],
    /** Values of the attributes that the call gives to the function (`placeholder` attributes). */
    readonly bound: ReadonlyMap<string, AttrValue> = new Map(),
  ) {}

  has(name: string): boolean {
    return this.#results.has(name);
  }

  /** Gives the results of a node, or an argument. */
  set(name: string, values: readonly (Value | undefined)[]): void {
    this.#results.set(name, values);
  }

  /** The value of a reference to an output. Throws `graphdef/graph` when there is none. */
  value(reference: string): Value {
    const ref = parseInput(reference, this.file);
    const node = this.nodes.get(ref.node);
    const index = node ? outputPosition(node, ref, this.functions, this.file) : ref.index;
    const value = this.#results.get(ref.node)?.[index];
    if (value) return value;
    throw graphdefDiagnostics.error('graph', {
      message: `Nothing makes the tensor ${JSON.stringify(reference)}.`,
      origin: { file: this.file },
    });
  }
}
