import {
  dtypes,
  type DroverError,
  type DType,
  type Graph,
  type PathStep,
  type Shape,
  type Tensor,
  type Value,
} from '@drover/core';
import { ImportedNode } from '@drover/core/format';
import type { AttrValue } from '../codec/attr-value.js';
import type { SymbolGraph, SymbolNode } from '../codec/symbol.js';
import { attrOf, attrSchema } from '../codec/operator.js';
import { mxnetDiagnostics } from '../diagnostics.js';

/** Attributes that choose how MXNet computes, not what. */
const withoutMeaning = new Set([
  'workspace',
  'cudnn_tune',
  'cudnn_off',
  'ctx',
  'sparse_grad',
  'forward_stype',
  'num_args',
  'num_weights',
]);

/** What a node needs of the graph that it stands in. */
export interface NodeSurroundings {
  readonly graph: Graph;
  readonly file: string;
  /** The way from the main symbol to this one. */
  readonly path: readonly PathStep[];
  /** Values of the node's inputs; undefined for a label that inference does not use. */
  readonly inputs: readonly (Value | undefined)[];
  /** Whether something uses an output. */
  isUsed(output: number): boolean;
  /** The shape of an output as far as the whole graph tells it. */
  hint(output: number): Shape | undefined;
  /**
   * Imports the nodes of a body into a graph, its variables being the given values, and gives the
   * values of its heads.
   */
  body(index: number, graph: Graph, variables: readonly Value[]): readonly Value[];
}

/** A node of a symbol: inputs as values, attributes typed and with MXNet's defaults. */
export class SourceNode extends ImportedNode {
  constructor(
    readonly node: SymbolNode,
    private readonly around: NodeSurroundings,
  ) {
    const { graph, file, path } = around;
    super(graph, { file, path, node: node.name, op: node.op ?? 'null' });
  }

  get subgraphs(): readonly SymbolGraph[] {
    return this.node.subgraphs;
  }

  get inputCount(): number {
    return this.around.inputs.length;
  }

  /** An input. Throws `mxnet/symbol` when it is not there. */
  input(index: number): Value {
    const value = this.around.inputs[index];
    if (value) return value;
    throw mxnetDiagnostics.error('symbol', {
      message: `${this.type} ${this.name} has no input ${index}.`,
      origin: this.origin,
    });
  }

  /**
   * An input whose sizes the attributes say, too; undefined where they do not. Throws
   * `mxnet/attribute` where it has another known size: MXNet refuses such a node.
   */
  restated(index: number, sizes: readonly (number | undefined)[]): Value {
    const value = this.input(index);
    const { shape } = value;
    const isSame = (size: number | undefined, i: number) =>
      size === undefined || typeof shape?.[i] !== 'number' || size === shape[i];
    if (!shape || (sizes.length === shape.length && sizes.every(isSame))) return value;
    throw mxnetDiagnostics.error('attribute', {
      message: `The attributes of ${this.type} ${this.name} ask for ${value.name} of the shape [${sizes.map((size) => size ?? '?').join(', ')}], and it is [${shape.map(String).join(', ')}].`,
      origin: this.origin,
    });
  }

  /** All inputs from an index on. */
  inputs(from = 0): Value[] {
    return this.around.inputs.slice(from).map((_, i) => this.input(from + i));
  }

  /** The inputs that are there: labels that inference does not use are not. */
  given(): readonly Value[] {
    return this.around.inputs.filter((value) => value !== undefined);
  }

  /** The shape of an input. Throws `core/foreign-op` when not even its rank is known. */
  shape(index: number): Shape {
    const { shape } = this.input(index);
    if (shape) return shape;
    throw this.unsupported('the rank of its input is not known');
  }

  /**
   * The shape of the first output as far as the nodes around this one tell it, for operators that
   * leave it open.
   */
  hint(): Shape | undefined {
    return this.around.hint(0);
  }

  /** Whether something uses an output. */
  isUsed(output: number): boolean {
    return this.around.isUsed(output);
  }

  /** Elements of an input that must be a constant in memory. */
  constant(index: number): Tensor {
    const elements = this.input(index).constant?.peek();
    if (elements) return elements;
    throw this.unsupported(`its input ${index} is not a constant`);
  }

  /**
   * An attribute or its default. Throws `mxnet/attribute` when it is neither there nor has a
   * default.
   */
  attr(name: string): AttrValue {
    this.reads(name);
    const value = attrOf(this.node, name, this.around.file);
    if (value !== undefined) return value;
    throw mxnetDiagnostics.error('attribute', {
      message: `${this.type} ${this.name} has no attribute ${name}.`,
      origin: this.origin,
    });
  }

  #wrong(name: string, value: AttrValue): DroverError {
    return mxnetDiagnostics.error('attribute', {
      message: `The attribute ${name} of ${this.type} ${this.name} is ${String(value)}.`,
      origin: this.origin,
    });
  }

  /** An integer attribute. */
  int(name: string): number {
    const value = this.attr(name);
    if (typeof value === 'number') return value;
    throw this.#wrong(name, value);
  }

  /** A number attribute. */
  float(name: string): number {
    return this.int(name);
  }

  /** A number attribute that may be None. */
  maybe(name: string): number | undefined {
    const value = this.attr(name);
    if (value === null || typeof value === 'number') return value ?? undefined;
    throw this.#wrong(name, value);
  }

  /** A boolean attribute; None counts as false. */
  bool(name: string): boolean {
    const value = this.attr(name);
    if (value === null || typeof value === 'boolean') return value === true;
    throw this.#wrong(name, value);
  }

  /**
   * A text attribute; None is undefined. Throws `mxnet/unsupported` when it is none of those that
   * MXNet 1.9.1 knows.
   */
  text(name: string): string | undefined {
    const value = this.attr(name);
    if (value === null) return undefined;
    if (typeof value !== 'string') throw this.#wrong(name, value);
    if (attrSchema(this.type, name)?.values?.includes(value) !== false) return value;
    throw this.unsupported(`its ${name} is ${value}`);
  }

  /** A tuple of integers; None is undefined. */
  ints(name: string): readonly number[] | undefined {
    const value = this.attr(name);
    if (value === null) return undefined;
    if (Array.isArray(value) && value.every((each) => typeof each === 'number')) return value;
    throw this.#wrong(name, value);
  }

  /** A tuple of integers or None. */
  bounds(name: string): readonly (number | null)[] {
    const value = this.attr(name);
    if (Array.isArray(value) && value.every((each) => each === null || typeof each === 'number'))
      return value;
    throw this.#wrong(name, value);
  }

  /** A tuple with an entry per spatial axis, all `otherwise` when it is empty. */
  spatial(name: string, rank: number, otherwise: number): readonly number[] {
    const stated = this.ints(name) ?? [];
    if (stated.length === 0) return new Array<number>(rank).fill(otherwise);
    if (stated.length === rank) return stated;
    throw this.#wrong(name, this.attr(name));
  }

  /** An attribute that names an element type. Throws `mxnet/unsupported` where it names none. */
  dtype(name: string): DType {
    const value = this.attr(name);
    const dtype = dtypes.find((known) => known === value);
    if (dtype) return dtype;
    throw this.unsupported(`its ${name} is ${String(value)}`);
  }

  /** An attribute that names an element type, or None, which is undefined. */
  maybeDtype(name: string): DType | undefined {
    return this.attr(name) === null ? undefined : this.dtype(name);
  }

  /** A non-negative axis of a value of some rank. */
  axis(name: string, rank: number): number {
    return this.axisOf(this.int(name), rank);
  }

  /** A non-negative axis, from one that may count from the end. */
  axisOf(axis: number, rank: number): number {
    const settled = axis < 0 ? axis + rank : axis;
    if (settled >= 0 && settled < rank) return settled;
    throw this.#wrong('axis', axis);
  }

  /**
   * The operator's attributes. Those of the form `__x__` and what the operator does not have are
   * the user's.
   */
  protected stated(): Iterable<string> {
    return [...this.node.attrs.keys()].filter(
      (name) => attrSchema(this.type, name) !== undefined && !withoutMeaning.has(name),
    );
  }

  /**
   * Imports the nodes of a body into a graph, its variables being the given values, and gives the
   * values of its heads.
   */
  body(index: number, graph: Graph, variables: readonly Value[]): readonly Value[] {
    return this.around.body(index, graph, variables);
  }
}
