import type { Graph, Value } from '@drover/core';
import { onnxDiagnostics } from '../diagnostics.js';

/** The names that nodes of one graph can use: its own and, by capture, those of the graphs around it. */
export class Scope {
  readonly #values = new Map<string, Value>();

  constructor(
    readonly graph: Graph,
    readonly file: string,
    readonly parent: Scope | undefined = undefined,
  ) {}

  /** Gives a value a name. Throws `onnx/duplicate` when the name is taken in this graph. */
  set(name: string, value: Value): void {
    if (this.#values.has(name)) throw onnxDiagnostics.error('duplicate', { message: `Two values are named ${JSON.stringify(name)}.`, origin: { file: this.file } });
    this.#values.set(name, value);
  }

  has(name: string): boolean {
    return this.#values.has(name) || this.parent?.has(name) === true;
  }

  /** The value of a name; one of an outer graph is captured. Throws `onnx/graph` when nothing has the name. */
  value(name: string): Value {
    const own = this.#values.get(name);
    if (own) return own;
    if (!this.parent?.has(name)) {
      throw onnxDiagnostics.error('graph', { message: `Nothing makes the value ${JSON.stringify(name)} before it is used.`, origin: { file: this.file } });
    }
    const captured = this.graph.capture(this.parent.value(name));
    this.#values.set(name, captured);
    return captured;
  }
}
