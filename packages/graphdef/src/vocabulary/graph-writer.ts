import {
  coreDiagnostics,
  isStatic,
  nameOf,
  tensor,
  Weight,
  type Dim,
  type DroverError,
  type DType,
  type Graph,
  type Node,
  type Shape,
  type Value,
} from '@drover/core';
import {
  dimSources,
  foldDim,
  type DimSource,
  type IntegerRanges,
  type NodeWriter,
  type UniqueNames,
  symbolName,
} from '@drover/core/format';
import { dataTypeOf, type DataType } from '../codec/data-type.js';
import type { FunctionDef, NodeDef } from '../codec/graph-def.js';
import { type, type Attributes } from './attribute.js';
import { NodeList } from './node-list.js';

/** A tensor of the graph that is being written: how to refer to it, and its element type there. */
export interface Ref {
  readonly text: string;
  readonly dtype: DType;
}

/** An operand to write: a value of the core graph, or something written before. */
export type Operand = Value | Ref;

/** What is written for a whole model: constants and functions are shared by all graphs. */
export interface WrittenModel {
  /** Names of nodes, in graphs and functions. */
  readonly names: UniqueNames;
  /** Elements of the Const nodes, by the nodes' names. */
  readonly weights: { readonly name: string; readonly weight: Weight; readonly dtype: DType }[];
  readonly functions: FunctionDef[];
  /** The type in which the target holds elements of a type; undefined when it cannot. */
  readonly typeOf: (dtype: DType) => DType | undefined;
  /** What is known of the integers of the core graph. */
  readonly ranges: IntegerRanges;
  /** Writes the nodes of a graph by the rules. */
  readonly writeNodes: (writer: GraphWriter) => void;
}

const isRef = (operand: Operand): operand is Ref => 'text' in operand;

/** Writes the nodes of one graph, or of one function, in TensorFlow's terms. */
export class GraphWriter implements NodeWriter {
  readonly #list: NodeList;
  readonly #refs = new Map<Value, Ref>();
  readonly #bound = new Map<Value, string>();
  readonly #literals = new Map<string, Ref>();
  readonly #dims = new Map<string, Ref>();
  /**
   * Where the size of a named dimension can be read: the inputs, and values that were written
   * before and have it.
   */
  readonly #sources: Map<string, DimSource>;
  #node: Node | undefined;

  constructor(
    readonly graph: Graph,
    readonly model: WrittenModel,
    isFunction = false,
  ) {
    this.#list = new NodeList((dtype) => this.dataType(dtype), isFunction);
    this.#sources = new Map(dimSources(graph));
  }

  /** The nodes so far, in order; inputs of the graph are put in from outside. */
  get nodes(): NodeDef[] {
    return this.#list.nodes;
  }

  /** A legal name that no other node has, near to the wanted one. */
  unique(wanted: string): string {
    return this.model.names.unique(wanted);
  }

  /** Starts the nodes of a core node: they are named after it. */
  begin(node: Node): void {
    this.#node = node;
  }

  /** Fixes the name of the node that will make a value. */
  bind(value: Value, name: string): void {
    this.#bound.set(value, name);
  }

  /**
   * States what a value is in the written graph: the result of a rule that needs no node of its
   * own, or an input.
   */
  set(value: Value, ref: Ref): void {
    const name = this.#bound.get(value);
    if (name === undefined) this.#know(value, ref);
    else this.node('Identity', [ref], {}, [value]);
  }

  lose(node: Node): void {
    for (const value of node.outputs) {
      const dtype = this.model.typeOf(value.dtype) ?? value.dtype;
      this.set(value, { text: this.unique(value.name), dtype });
    }
  }

  written(value: Value): string | undefined {
    return this.#refs.get(value)?.text;
  }

  #know(value: Value, ref: Ref): void {
    this.#refs.set(value, ref);
    value.shape?.forEach((dim, axis) => {
      const name = symbolName(dim);
      if (name !== undefined && !this.#sources.has(name))
        this.#sources.set(name, { input: value, axis });
    });
  }

  /** How to refer to an operand; a constant becomes a node when it is first used. */
  ref(operand: Operand): Ref {
    if (isRef(operand)) return operand;
    const known = this.#refs.get(operand);
    if (known) return known;
    if (!operand.constant) throw this.unwritable(`nothing was written for ${operand}`);
    const ref = this.#constant(operand.name, operand.constant);
    this.#refs.set(operand, ref);
    return ref;
  }

  /** The element type of an operand in the written graph. */
  dtype(operand: Operand): DType {
    return isRef(operand) ? operand.dtype : this.typeOf(operand.dtype);
  }

  /**
   * The type in which the target holds elements of a type. Throws `core/not-convertible` when it
   * has none.
   */
  typeOf(dtype: DType): DType {
    const target = this.model.typeOf(dtype);
    if (target) return target;
    throw this.unwritable(`the target has no tensors of ${dtype}`);
  }

  /** Whether no element of a value of the core graph is below zero, as far as is known. */
  isNeverNegative(value: Value): boolean {
    const known = this.model.ranges.get(value);
    return known !== undefined && known.range[0] >= 0n;
  }

  /** TensorFlow's name of the element type of an operand. */
  dataType(operand: Operand | DType): DataType {
    const dtype = typeof operand === 'string' ? this.typeOf(operand) : this.dtype(operand);
    const name = dataTypeOf(dtype);
    if (name) return name;
    throw this.unwritable(`TensorFlow has no tensors of ${dtype}`);
  }

  /** Writes a node whose outputs are values of the core graph. */
  node(
    op: string,
    inputs: readonly Operand[],
    attributes: Attributes,
    outputs: readonly Value[],
  ): void {
    const single = outputs.length === 1 ? outputs[0]! : undefined;
    const bound = single && this.#bound.get(single);
    const name = bound ?? this.unique(single?.name ?? this.#node?.name ?? op);
    const refs = this.#write(
      op,
      name,
      inputs,
      attributes,
      outputs.map((value) => this.typeOf(value.dtype)),
    );
    outputs.forEach((value, i) =>
      value === single ? this.#know(value, refs[i]!) : this.set(value, refs[i]!),
    );
  }

  /**
   * Writes a node of one operand and one output under a name that is taken already: a second name
   * of a value.
   */
  named(op: string, name: string, inputs: readonly Operand[]): void {
    this.#write(op, name, inputs, {}, [this.dtype(inputs[0]!)]);
  }

  /**
   * Writes a node with one output that only other written nodes use; its type is that of the first
   * operand unless told.
   */
  step(op: string, inputs: readonly Operand[], attributes: Attributes = {}, dtype?: DType): Ref {
    return this.steps(op, inputs, attributes, [dtype ?? this.dtype(inputs[0]!)])[0]!;
  }

  /** Writes a node whose outputs, of the given types, only other written nodes use. */
  steps(
    op: string,
    inputs: readonly Operand[],
    attributes: Attributes,
    dtypes: readonly DType[],
  ): readonly Ref[] {
    return this.#write(
      op,
      this.unique(`${this.#node?.name ?? 'shape'}/${op}`),
      inputs,
      attributes,
      dtypes,
    );
  }

  #write(
    op: string,
    name: string,
    inputs: readonly Operand[],
    attributes: Attributes,
    dtypes: readonly DType[],
  ): readonly Ref[] {
    const refs = inputs.map((input) => this.ref(input));
    const outputs = this.#list.add({
      op,
      name,
      inputs: refs.map(({ text }) => text),
      attributes,
      inputTypes: refs.map(({ dtype }) => dtype),
      outputTypes: dtypes,
    });
    return dtypes.map((dtype, i) => ({ text: outputs[i]!, dtype }));
  }

  #constant(wanted: string, weight: Weight): Ref {
    const name = this.unique(wanted);
    const dtype = this.typeOf(weight.dtype);
    const text = this.#list.constant(name, dtype, weight.shape);
    this.model.weights.push({ name, weight, dtype });
    return { text, dtype };
  }

  /** A small constant, written once for equal content. */
  literal(dtype: DType, shape: readonly number[], values: readonly (number | bigint)[]): Ref {
    const key = `${dtype}[${shape.join()}]:${values.map((value) => (Object.is(value, -0) ? '-0' : String(value))).join()}`;
    const known = this.#literals.get(key);
    if (known) return known;
    const ref = this.#constant(
      `constant/${dtype}${shape.length > 0 ? `_${shape.join('x')}` : ''}`,
      Weight.from(tensor(dtype, shape, values)),
    );
    this.#literals.set(key, ref);
    return ref;
  }

  /** A number of the type of an operand. */
  scalar(like: Operand, value: number): Ref {
    return this.literal(this.dtype(like), [], [value]);
  }

  /** int32 constants in one dimension. */
  ints(values: readonly number[]): Ref {
    return this.literal('int32', [values.length], values);
  }

  /** An int32 constant. */
  int(value: number): Ref {
    return this.literal('int32', [], [value]);
  }

  /**
   * Dimensions as an int32 tensor of one dimension: a constant, or what computes them from the
   * shapes of the inputs. Throws `core/not-convertible`.
   */
  dims(dims: Shape): Ref {
    if (isStatic(dims)) return this.ints(dims);
    const parts: Ref[] = [];
    for (let i = 0; i < dims.length;) {
      const numbers: number[] = [];
      for (let each = dims[i]; typeof each === 'number'; each = dims[++i]) numbers.push(each);
      if (numbers.length > 0) parts.push(this.ints(numbers));
      else parts.push(this.dim(dims[i++]!));
    }
    return this.concat(parts);
  }

  /** Vectors joined. */
  concat(parts: readonly Operand[], axis = 0): Ref {
    return parts.length === 1
      ? this.ref(parts[0]!)
      : this.step('ConcatV2', [...parts, this.int(axis)]);
  }

  /**
   * A dimension as an int32 tensor of shape [1]. Throws `core/not-convertible` when no input of the
   * graph tells it.
   */
  dim(dim: Dim): Ref {
    if (typeof dim === 'number') return this.ints([dim]);
    const known = this.#dims.get(dim.key);
    if (known) return known;
    const operation = (op: string) => (a: Ref, b: Ref) => this.step(op, [a, b]);
    const ref = foldDim<Ref>(dim, {
      constant: (value) => this.ints([value]),
      symbol: (symbol) => this.#size(symbol),
      add: operation('AddV2'),
      mul: operation('Mul'),
      floordiv: operation('FloorDiv'),
      min: operation('Minimum'),
      max: operation('Maximum'),
    });
    this.#dims.set(dim.key, ref);
    return ref;
  }

  /**
   * A dimension as an int32 scalar. Throws `core/not-convertible` when no input of the graph tells
   * it.
   */
  size(dim: Dim): Ref {
    return typeof dim === 'number'
      ? this.int(dim)
      : this.step('Reshape', [this.dim(dim), this.ints([])]);
  }

  #size(symbol: string): Ref {
    const known = this.#dims.get(symbol);
    if (known) return known;
    const source = this.#sources.get(symbol);
    if (!source) throw this.unwritable(`its shape rests on ${symbol}, which nothing tells before`);
    const ref = this.step('Slice', [
      this.shapeOf(source.input),
      this.ints([source.axis]),
      this.ints([1]),
    ]);
    this.#dims.set(symbol, ref);
    return ref;
  }

  /** Whether dimensions can be computed from the shapes of the inputs. */
  canCompute(dims: Shape): boolean {
    const both = (a: boolean, b: boolean) => a && b;
    return dims.every((dim) =>
      foldDim<boolean>(dim, {
        constant: () => true,
        symbol: (name) => this.#sources.has(name),
        add: both,
        mul: both,
        floordiv: both,
        min: both,
        max: both,
      }),
    );
  }

  /** The shape of a value as an int32 tensor, as it is when the model runs. */
  shapeOf(value: Operand): Ref {
    return this.step('Shape', [value], { out_type: type('DT_INT32') }, 'int32');
  }

  /** The same elements under another shape. */
  reshape(x: Operand, shape: Shape): Ref {
    return this.step('Reshape', [x, this.target(shape)]);
  }

  /**
   * A shape to reshape to, with -1 for the one dimension that is not a number, which saves
   * computing it.
   */
  target(shape: Shape): Ref {
    const open = shape.filter((dim) => typeof dim !== 'number');
    const isOpen = open.length === 1 && !shape.includes(-1) && !shape.includes(0);
    return isOpen
      ? this.ints(shape.map((dim) => (typeof dim === 'number' ? dim : -1)))
      : this.dims(shape);
  }

  /** Elements in another type. */
  cast(x: Operand, to: DType): Ref {
    const target = this.typeOf(to);
    return this.dtype(x) === target
      ? this.ref(x)
      : this.step(
          'Cast',
          [x],
          { DstT: type(this.dataType(target)), SrcT: type(this.dataType(x)) },
          target,
        );
  }

  /**
   * The reason why the node that is being written has no form: thrown by a rule, it becomes a
   * finding with the node's origin.
   */
  unwritable(reason: string): DroverError {
    return coreDiagnostics.error('not-convertible', {
      message: reason,
      reason,
      origin: { file: '', node: this.#node ? nameOf(this.#node.origin) : '' },
    });
  }
}
