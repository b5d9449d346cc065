import type { ValueType } from '../tensor/value-type.js';
import type { Dim, Shape } from '../tensor/dim.js';
import type { DType } from '../tensor/dtype.js';
import type { Weight } from '../tensor/weight.js';
import type { Node } from './node.js';
import type { ValueOrigin } from './origin.js';

/** A tensor in a graph: a graph input, a constant, or a result of a node. */
export class Value {
  dtype: DType;
  /** undefined: not even the rank is known. */
  shape: Shape | undefined;
  /** The elements of a small integer tensor where they are known (see ValueType). */
  elements: readonly Dim[] | undefined;
  /** Whether type and shape are only guessed (see ValueType). */
  isUntyped: boolean;
  /** The node that makes it; undefined for graph inputs and constants. */
  producer: Node | undefined;
  /** Nodes that use it as an operand or capture it in a body. */
  readonly users = new Set<Node>();

  constructor(
    /** A name to write; writers make names unique and legal. */
    public name: string,
    type: ValueType,
    /** The elements of a constant. */
    readonly constant: Weight | undefined = undefined,
    public origin: ValueOrigin | undefined = undefined,
  ) {
    this.dtype = type.dtype;
    this.shape = type.shape;
    this.elements = type.elements;
    this.isUntyped = type.isUntyped === true;
  }

  get type(): ValueType {
    const { dtype, shape, elements } = this;
    return { dtype, shape, elements, isUntyped: this.isUntyped || undefined };
  }

  set type({ dtype, shape, elements, isUntyped }: ValueType) {
    this.dtype = dtype;
    this.shape = shape;
    this.elements = elements;
    this.isUntyped = isUntyped === true;
  }

  /** Number of dimensions; undefined when unknown. */
  get rank(): number | undefined {
    return this.shape?.length;
  }

  toString(): string {
    return `${this.name}: ${this.dtype}[${this.shape?.map(String).join(', ') ?? '…'}]`;
  }
}
