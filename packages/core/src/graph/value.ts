import type { ValueType } from '../tensor/value-type.js';
import type { Dim, Shape } from '../tensor/dim.js';
import type { DType } from '../tensor/dtype.js';
import type { Weight } from '../tensor/weight.js';
import type { Node } from './node.js';

/** Where a value comes from in the source model. */
export interface ValueOrigin {
  /** The source's name of the value. */
  readonly name: string;
  /**
   * Dimension i of this value is dimension perm[i] of the source's, where a layout change permuted
   * it.
   */
  readonly perm?: readonly number[];
}

/** A tensor in a graph: a graph input, a constant, or a result of a node. */
export class Value {
  dtype: DType;
  /** undefined: not even the rank is known. */
  shape: Shape | undefined;
  /** The elements of a small integer tensor where they are known (see ValueType). */
  elements: readonly Dim[] | undefined;
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
  }

  get type(): ValueType {
    return { dtype: this.dtype, shape: this.shape, elements: this.elements };
  }

  set type({ dtype, shape, elements }: ValueType) {
    this.dtype = dtype;
    this.shape = shape;
    this.elements = elements;
  }

  /** Number of dimensions; undefined when unknown. */
  get rank(): number | undefined {
    return this.shape?.length;
  }

  toString(): string {
    return `${this.name}: ${this.dtype}[${this.shape?.map(String).join(', ') ?? '…'}]`;
  }
}
