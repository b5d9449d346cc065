import {
  isFloat,
  ops,
  toNumbers,
  type DType,
  type Graph,
  type Shape,
  type Tensor,
  type Value,
} from '@drover/core';
import { ImportedNode } from '@drover/core/format';
import { dtypeOf } from '../codec/data-type.js';
import type {
  AttrValue,
  ByteString,
  NameAttrList,
  NodeDef,
  TensorProto,
  TensorShape,
} from '../codec/graph-def.js';
import { attrOf, registeredAttr, registeredOp } from '../codec/operator.js';
import { graphdefDiagnostics } from '../diagnostics.js';
import type { Scope } from './scope.js';

const text = (bytes: ByteString): string =>
  typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes);

/** Attributes that place a node on a device or tune a library. */
const tuning = new Set(['use_cudnn_on_gpu', 'parallel_iterations', 'validate_shape', 'TensorRT']);

/** A call of a function of the library. */
export interface FunctionCall {
  readonly called: NameAttrList;
  /** Values of the graph that the function's nodes go to. */
  readonly args: readonly Value[];
  readonly graph: Graph;
  /** Which body of the node it is; undefined for the function that a node calls. */
  readonly body: string | undefined;
}

/** A node of a TensorFlow graph: operands as values, attributes with TensorFlow's defaults. */
export class SourceNode extends ImportedNode {
  readonly #inputs: readonly string[];

  constructor(
    readonly def: NodeDef,
    readonly scope: Scope,
    /** Number of outputs, as far as the registration or the uses tell. */
    readonly outputCount: number,
    /** Imports what a call computes, and gives its results in order. */
    private readonly importCall: (node: SourceNode, call: FunctionCall) => readonly Value[],
  ) {
    super(scope.graph, { file: scope.file, path: scope.path, node: def.name, op: def.op });
    this.#inputs = def.inputs.filter((input) => !input.startsWith('^'));
  }

  get inputCount(): number {
    return this.#inputs.length;
  }

  /** A required operand. Throws `graphdef/graph` when it is not there. */
  input(index: number): Value {
    const value = this.optional(index);
    if (value) return value;
    throw graphdefDiagnostics.error('graph', {
      message: `${this.type} ${this.name} has no operand ${index}.`,
      origin: this.origin,
    });
  }

  /** An operand that may be left out. */
  optional(index: number): Value | undefined {
    const reference = this.#inputs[index];
    return reference === undefined ? undefined : this.scope.value(reference);
  }

  given(): readonly Value[] {
    return this.inputs();
  }

  /** Operands from one index to before another. */
  inputs(from = 0, to = this.#inputs.length): Value[] {
    return this.#inputs.slice(from, to).map((reference) => this.scope.value(reference));
  }

  /**
   * The elements of an operand that must be a constant in memory. Throws `core/foreign-op`
   * when it depends on data.
   */
  constant(index: number): Tensor {
    const elements = this.input(index).constant?.peek();
    if (elements) return elements;
    throw this.unsupported(`its operand ${index} (${this.input(index)}) is not a constant`);
  }

  /**
   * The integers of an operand that must be known before the model runs. Throws
   * `core/foreign-op` when it depends on data.
   */
  constantInts(index: number): readonly number[] {
    const { elements } = this.input(index);
    if (elements?.every((each) => typeof each === 'number')) return elements;
    return Array.from(toNumbers(this.constant(index)));
  }

  /** Whether the node sets an attribute; defaults do not count. */
  has(name: string): boolean {
    return this.def.attrs.has(name);
  }

  /** The value of an attribute, or its registered default. */
  attr(name: string): AttrValue | undefined {
    this.reads(name);
    const value = attrOf(this.def, name);
    return value?.kind === 'placeholder' ? this.scope.bound.get(value.value) : value;
  }

  #of<K extends AttrValue['kind'], T>(
    name: string,
    kind: K,
    otherwise: T | undefined,
    take: (value: AttrValue & { kind: K }) => T,
  ): T {
    const value = this.attr(name);
    if (value?.kind === kind) return take(value as AttrValue & { kind: K });
    if (value === undefined && otherwise !== undefined) return otherwise;
    const what =
      value === undefined ? 'has no attribute' : 'has another kind of value for the attribute';
    throw graphdefDiagnostics.error('attribute', {
      message: `${this.type} ${this.name} ${what} ${name}.`,
      origin: this.origin,
    });
  }

  int(name: string, otherwise?: number): number {
    return this.#of(name, 'i', otherwise, ({ value }) => Number(value));
  }

  float(name: string, otherwise?: number): number {
    return this.#of(name, 'f', otherwise, ({ value }) => value);
  }

  bool(name: string, otherwise?: boolean): boolean {
    return this.#of(name, 'b', otherwise, ({ value }) => value);
  }

  /** A text. Throws `graphdef/unsupported` when it is none of those that TensorFlow allows. */
  text(name: string, otherwise?: string): string {
    const stated = this.#of(name, 's', otherwise, ({ value }) => text(value));
    if (registeredAttr(this.type, name)?.allowed?.includes(stated) !== false) return stated;
    throw this.unsupported(`its ${name} is ${stated}`);
  }

  shape(name: string): TensorShape {
    return this.#of(name, 'shape', { dims: null }, ({ value }) => value);
  }

  func(name: string): NameAttrList {
    return this.#of(name, 'func', undefined, ({ value }) => value);
  }

  tensor(name: string): TensorProto {
    return this.#of(name, 'tensor', undefined, ({ value }) => value);
  }

  /** An element type. Throws `core/foreign-op` for handles, variants and quantised types. */
  dtype(name: string): DType {
    const dataType = this.#of(name, 'type', undefined, ({ value }) => value);
    const dtype = dtypeOf(dataType);
    if (dtype) return dtype;
    throw this.unsupported(`its ${name} is ${dataType}`);
  }

  /** A list of integers; empty when absent. */
  ints(name: string): readonly number[] {
    return this.#of<'list', readonly number[]>(name, 'list', [], (list) =>
      list.of === 'i' ? list.values.map(Number) : [],
    );
  }

  /** A list of texts; empty when absent. */
  texts(name: string): readonly string[] {
    return this.#of<'list', readonly string[]>(name, 'list', [], (list) =>
      list.of === 's' ? list.values.map(text) : [],
    );
  }

  /** A non-negative axis of a value of some rank, from one that may count from the end. */
  axis(axis: number, rank: number | undefined): number {
    if (rank === undefined && axis < 0)
      throw this.unsupported(`it counts axis ${axis} from the end of a value of unknown rank`);
    const settled = axis < 0 ? axis + rank! : axis;
    if (settled >= 0 && (rank === undefined || settled < rank)) return settled;
    throw graphdefDiagnostics.error('attribute', {
      message: `${this.type} ${this.name}: there is no axis ${axis}.`,
      origin: this.origin,
    });
  }

  /** The rank of a value that must be known. Throws `core/foreign-op`. */
  rank(x: Value): number {
    return this.dims(x).length;
  }

  /** The shape of a value whose rank must be known. Throws `core/foreign-op`. */
  dims(x: Value): Shape {
    if (x.shape) return x.shape;
    throw this.unsupported(`the rank of ${x.name} is not known`);
  }

  /** A value in another element type; constants are converted in place. */
  cast(x: Value, to: DType, step = 'cast'): Value {
    if (x.dtype === to) return x;
    if (x.constant && (isFloat(to) || !isFloat(x.dtype)))
      return this.graph.constant(x.constant.cast(to), x.name, x.origin);
    return this.graph.add(ops.Cast, { x }, { to }, this.step(step)).y;
  }

  /** A constant of no dimensions in the type of a value. */
  scalar(like: Value, value: number): Value {
    return this.graph.literal(like.dtype, [], [value]);
  }

  /** The dimensions of a value in another order; constants only get another handle. */
  transposed(x: Value, perm: readonly number[], step = 'transpose'): Value {
    if (perm.every((axis, i) => axis === i)) return x;
    if (x.constant) return this.graph.constant(x.constant.transpose(perm), x.name, x.origin);
    return this.graph.add(ops.Transpose, { x }, { perm }, this.step(step)).y;
  }

  /** The elements of a value under another shape; constants only get another handle. */
  reshaped(x: Value, shape: Shape, step = 'reshape'): Value {
    if (x.constant && shape.every((dim) => typeof dim === 'number' && dim >= 0))
      return this.graph.constant(x.constant.reshape(shape as readonly number[]), x.name, x.origin);
    return this.graph.add(ops.Reshape, { x }, { shape }, this.step(step)).y;
  }

  /**
   * Imports a function of the library with values of a graph (this node's unless told) as its
   * arguments, and gives its results in order. `body` says which body of the node it is.
   */
  call(
    called: NameAttrList,
    args: readonly Value[],
    graph = this.graph,
    body?: string,
  ): readonly Value[] {
    return this.importCall(this, { called, args, graph, body });
  }

  /** What the node sets otherwise than TensorFlow's default; types, counts and hints apart. */
  protected stated(): Iterable<string> {
    const registered = registeredOp(this.type);
    return [...this.def.attrs].flatMap(([name, value]) => {
      const attr = registeredAttr(this.type, name);
      const isTyped =
        attr === undefined ||
        attr.type === 'type' ||
        attr.type === 'list(type)' ||
        this.#counts(name);
      if (name.startsWith('_') || tuning.has(name) || (registered && isTyped)) return [];
      const isDefault =
        attr?.default !== undefined &&
        JSON.stringify({ ...attr.default, of: undefined }) ===
          JSON.stringify({ ...value, of: undefined });
      return isDefault ? [] : [name];
    });
  }

  #counts(name: string): boolean {
    const registered = registeredOp(this.type);
    return [...(registered?.inputs ?? []), ...(registered?.outputs ?? [])].some(
      ({ numberAttr }) => numberAttr === name,
    );
  }
}
