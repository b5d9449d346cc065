import type { Graph, Value } from '@drover/core';
import { ImportedNode } from '@drover/core/format';
import type { FileOperator } from '../codec/index.js';
import { __name__Diagnostics } from '../diagnostics.js';

/** An operator of a model file that is read: operands as values, attributes by their types. */
export class SourceNode extends ImportedNode {
  constructor(
    graph: Graph,
    private readonly operator: FileOperator,
    private readonly operands: readonly Value[],
    file: string,
  ) {
    super(graph, { file, path: [], node: operator.name, op: operator.type });
  }

  given(): readonly Value[] {
    return this.operands;
  }

  protected stated(): Iterable<string> {
    return this.operator.attributes.keys();
  }

  /** An operand. Throws `__name__/graph` when it is not there. */
  input(index: number): Value {
    const value = this.operands[index];
    if (value) return value;
    throw __name__Diagnostics.error('graph', {
      message: `${this.type} ${this.name} has no operand ${index}.`,
      origin: this.origin,
    });
  }

  /** A whole number. Throws `__name__/attribute` when the attribute is missing or none. */
  int(name: string): number {
    this.reads(name);
    const value = this.operator.attributes.get(name);
    if (Number.isSafeInteger(value)) return value as number;
    throw __name__Diagnostics.error('attribute', {
      message: `${name} of ${this.type} ${this.name} is ${JSON.stringify(value) ?? 'missing'}.`,
      origin: this.origin,
    });
  }
}
