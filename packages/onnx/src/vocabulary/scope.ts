import { coreDiagnostics, type DiagnosticOrigin, type Graph, type Value } from '@drover/core';
import { onnxDiagnostics } from '../diagnostics.js';
import { Sequence } from './sequence.js';

/**
 * The names that nodes of one graph can use: its own and, by capture, those of the graphs around
 * it.
 */
export class Scope {
  readonly #values = new Map<string, Value | Sequence>();

  constructor(
    readonly graph: Graph,
    readonly file: string,
    readonly parent: Scope | undefined = undefined,
  ) {}

  /** Gives a value a name. Throws `core/duplicate` when the name is taken in this graph. */
  set(name: string, value: Value | Sequence, origin: DiagnosticOrigin = { file: this.file }): void {
    if (this.#values.has(name))
      throw coreDiagnostics.error('duplicate', {
        message: `Two values are named ${JSON.stringify(name)}.`,
        origin,
      });
    this.#values.set(name, value);
  }

  /** What has a name in this graph itself. */
  own(name: string): Value | Sequence | undefined {
    return this.#values.get(name);
  }

  has(name: string): boolean {
    return this.#values.has(name) || this.parent?.has(name) === true;
  }

  /**
   * What has a name; a value of an outer graph is captured. Throws `onnx/graph` when nothing has
   * the name.
   */
  get(name: string, origin: DiagnosticOrigin = { file: this.file }): Value | Sequence {
    const own = this.#values.get(name);
    if (own) return own;
    if (!this.parent?.has(name)) {
      const user =
        origin.node === undefined
          ? 'The graph gives it as an output'
          : `${origin.op} ${origin.node} uses it`;
      throw onnxDiagnostics.error('graph', {
        message: `Nothing makes the value ${JSON.stringify(name)}. ${user}.`,
        origin,
      });
    }
    const outer = this.parent.get(name, origin);
    const captured =
      outer instanceof Sequence
        ? outer.map((each) => this.graph.capture(each))
        : this.graph.capture(outer);
    this.#values.set(name, captured);
    return captured;
  }

  /**
   * The tensor of a name. Throws `onnx/graph` when nothing has the name, `core/foreign-op` when it
   * is a sequence.
   */
  value(name: string, origin: DiagnosticOrigin = { file: this.file }): Value {
    const found = this.get(name, origin);
    if (found instanceof Sequence)
      throw coreDiagnostics.error('foreign-op', {
        message: `${origin.op} ${origin.node}: ${JSON.stringify(name)} is a sequence of tensors, which has no canonical form.`,
        reason: `${JSON.stringify(name)} is a sequence of tensors, which has no canonical form`,
        origin,
      });
    return found;
  }

  /**
   * The tensor of a name in the signature. Throws `onnx/graph` when nothing has the name,
   * `core/signature-type` when it is a sequence.
   */
  output(name: string): Value {
    const found = this.get(name);
    if (found instanceof Sequence)
      throw coreDiagnostics.error('signature-type', {
        message: `The output ${name} is a sequence of tensors.`,
        origin: { file: this.file, node: name },
      });
    return found;
  }
}
