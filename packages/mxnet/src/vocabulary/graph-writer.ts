import {
  ByteHandle,
  bytesOf,
  castTensor,
  encodeTensor,
  isStatic,
  sizeOf,
  tensor,
  Weight,
  type Dim,
  type DType,
  type Graph,
  type Node,
  type Region,
  type Shape,
  type Tensor,
  type Value,
} from '@drover/core';
import { dimKey, UniqueNames, type NodeWriter } from '@drover/core/format';
import { formatAttr, type AttrValue } from '../codec/attr-value.js';
import {
  writtenVersion,
  type SymbolEntry,
  type SymbolGraph,
  type SymbolNode,
} from '../codec/symbol.js';

/** An output of a written node. */
export type Ref = SymbolEntry;

/** An operand to write: a value of the graph, or an output of something written before. */
export type Operand = Value | Ref;

/** Attributes to write; those undefined are left out. */
export type Attributes = Readonly<Record<string, AttrValue | undefined>>;

/** A value that has a size, and on which axis. */
export interface DimSource {
  readonly value: Value;
  readonly axis: number;
}

/** A stored array to write. */
export interface StoredArray {
  weight: Weight;
  readonly isAuxiliary: boolean;
}

/** The node that MXNet would name an output after. */
const nodeName = (output: string): string => output.replace(/_output\d*$/, '');

const isValue = (operand: Operand): operand is Value => 'dtype' in operand;

/** The element type by which MXNet holds a value: its legacy operators give truth as 0 and 1. */
export function heldType(dtype: DType): DType {
  return dtype === 'bool' ? 'float32' : dtype;
}

/** The shape by which MXNet holds a value: it has no scalars, so they are lists of one. */
export function heldShape(shape: Shape): Shape {
  return shape.length === 0 ? [1] : shape;
}

/** What the graphs of a model share while they are written. */
export interface WrittenModel {
  /** Writes the nodes of a graph by the format's rules; whether all were written. */
  writeNodes(writer: GraphWriter): boolean;
  /** Why MXNet cannot hold what a node gives or is given. */
  refusal(node: Node, writer: GraphWriter): string | undefined;
}

/** Writes the nodes of one graph as a symbol and notes the arrays to store. */
export class GraphWriter implements NodeWriter {
  readonly nodes: SymbolNode[] = [];
  /** By the name of the variable, in the order of use. */
  readonly arrays = new Map<string, StoredArray>();
  readonly #refs = new Map<Value, Ref>();
  readonly #auxiliary = new Map<Value, Ref>();
  readonly #literals = new Map<string, Ref>();
  readonly #made = new Map<string, readonly { readonly array: StoredArray; readonly ref: Ref }[]>();
  readonly #names: UniqueNames;
  readonly #sized = new Map<string, DimSource>();
  readonly #shaped = new Map<string, Value>();
  readonly #wanted = new Map<Value, string>();
  readonly #finished = new Set<Node>();
  readonly #unnamed = new Set<number>();
  /** In a body: what its variables stand for outside, by their nodes. */
  readonly #outside = new Map<number, Ref>();
  #node: Node | undefined;

  constructor(
    readonly graph: Graph,
    private readonly model: WrittenModel,
    private readonly parent?: GraphWriter,
  ) {
    this.#names = parent ? parent.#names : new UniqueNames((wanted) => wanted || 'value');
    for (const { name, value } of graph.outputs)
      if (!this.#wanted.has(value)) this.#wanted.set(value, nodeName(name));
  }

  get root(): GraphWriter {
    return this.parent?.root ?? this;
  }

  /** A name that nothing else has, near to the wanted one. */
  unique(wanted: string): string {
    return this.#names.unique(wanted);
  }

  /** Starts the nodes of a core node: they are named after it. */
  begin(node: Node): void {
    this.#node = node;
  }

  /** Whether callers of the graph see a value. */
  isOutput(value: Value): boolean {
    return this.#wanted.has(value);
  }

  /** Says that a node is written together with another. */
  finish(node: Node): void {
    this.#finished.add(node);
  }

  /** Whether a node is written already. */
  isWritten(node: Node): boolean {
    return this.#finished.has(node);
  }

  refusal(node: Node): string | undefined {
    return this.model.refusal(node, this);
  }

  lose(node: Node): void {
    for (const value of node.outputs) this.bind(value, this.variable(this.unique(value.name)));
  }

  /** The place of a value among the written nodes: names follow once the outputs have theirs. */
  written(value: Value): string | undefined {
    const ref = this.parent ? undefined : this.#refs.get(value);
    return ref && `${ref.node}:${ref.output}`;
  }

  heldShape({ shape }: Value): Shape | undefined {
    return shape?.length === 0 ? heldShape(shape) : undefined;
  }

  /** Says what stands for a value. */
  bind(value: Value, ref: Ref): void {
    this.#refs.set(value, ref);
    const key = value.shape && !isStatic(value.shape) ? value.shape.map(dimKey).join() : '';
    if (key !== '' && !this.#shaped.has(key)) this.#shaped.set(key, value);
    value.shape?.forEach((dim, axis) => {
      if (typeof dim !== 'number' && !this.#sized.has(dim.key))
        this.#sized.set(dim.key, { value, axis });
    });
  }

  /** Writes a variable with a name of its own. */
  variable(name: string, attrs: ReadonlyMap<string, string> = new Map()): Ref {
    return this.#push({ op: null, name, attrs, inputs: [], controlDeps: [], subgraphs: [] });
  }

  #push(node: SymbolNode): Ref {
    this.nodes.push(node);
    return { node: this.nodes.length - 1, output: 0, version: 0 };
  }

  /**
   * What stands for a value; a constant becomes a variable with a stored array when it is first
   * used.
   */
  ref(operand: Operand): Ref {
    if (!isValue(operand)) return operand;
    const known = this.#refs.get(operand);
    if (known) return known;
    const ref = this.parent ? this.#within(this.parent.ref(operand)) : this.#store(operand, false);
    this.#refs.set(operand, ref);
    return ref;
  }

  /** In a body: the variable that stands for something outside. */
  #within(outer: Ref): Ref {
    for (const [node, { node: known, output }] of this.#outside)
      if (known === outer.node && output === outer.output) return { node, output: 0, version: 0 };
    const ref = this.variable(this.unique(this.parent!.nodes[outer.node]!.name));
    this.#outside.set(ref.node, outer);
    return ref;
  }

  /**
   * Writes the nodes of a body of a node in a graph of their own; undefined when some cannot be
   * written, which is reported.
   */
  body({ graph, captures }: Region): GraphWriter | undefined {
    const inner = new GraphWriter(graph, this.model, this);
    const first = graph.inputs.length - captures.length;
    graph.inputs.forEach((value, i) => {
      inner.bind(
        value,
        i < first
          ? inner.variable(this.unique(value.name))
          : inner.#within(this.ref(captures[i - first]!)),
      );
    });
    return this.model.writeNodes(inner) ? inner : undefined;
  }

  /** In a body: what a variable stands for outside; undefined for what the node around it gives. */
  outside(node: number): Ref | undefined {
    return this.#outside.get(node);
  }

  /** A constant that training would change as a side effect: stored under `aux:`. */
  auxiliary(value: Value): Ref {
    if (this.parent) return this.ref(value);
    const known = this.#auxiliary.get(value);
    if (known) return known;
    const ref = this.#store(value, true);
    this.#auxiliary.set(value, ref);
    return ref;
  }

  #store(value: Value, isAuxiliary: boolean): Ref {
    const weight = value.constant!;
    const name = this.unique(value.name);
    const held =
      heldType(weight.dtype) === weight.dtype ? weight : weight.cast(heldType(weight.dtype));
    this.root.arrays.set(name, {
      weight: held.shape.length === 0 ? held.reshape([1]) : held,
      isAuxiliary,
    });
    return this.variable(name);
  }

  /**
   * A stored array made by a rule; what is asked for again under the same name with the same
   * elements is written once.
   */
  array(name: string, weight: Weight): Ref {
    if (this.parent) return this.#within(this.parent.array(name, weight));
    const made = this.#made.get(name) ?? [];
    const known = made.find((each) => each.array.weight.same(weight));
    if (known) {
      known.array.weight = known.array.weight.mergedWith(weight);
      return known.ref;
    }
    const unique = this.unique(name);
    const array = { weight, isAuxiliary: false };
    this.root.arrays.set(unique, array);
    const ref = this.variable(unique);
    this.#made.set(name, [...made, { array, ref }]);
    return ref;
  }

  /** A stored array that is computed when it is written. */
  made(name: string, dtype: DType, shape: readonly number[], compute: () => Promise<Tensor>): Ref {
    if (this.parent) return this.#within(this.parent.made(name, dtype, shape, compute));
    const unique = this.unique(name);
    const bytes = ByteHandle.computed(bytesOf(dtype, sizeOf(shape)), async function* () {
      yield encodeTensor(castTensor(await compute(), dtype));
    });
    this.root.arrays.set(unique, {
      weight: Weight.stored(dtype, shape, undefined, bytes),
      isAuxiliary: false,
    });
    return this.variable(unique);
  }

  /** A small stored array, written once for equal content. */
  literal(dtype: DType, shape: readonly number[], values: readonly (number | bigint)[]): Ref {
    if (this.parent) return this.#within(this.parent.literal(dtype, shape, values));
    const key = `${dtype}[${shape.join()}]:${values.map((value) => (Object.is(value, -0) ? '-0' : String(value))).join()}`;
    const known = this.#literals.get(key);
    if (known) return known;
    const ref = this.array(
      `constant_${dtype}_${shape.join('x')}`,
      Weight.from(tensor(dtype, shape, values)),
    );
    this.#literals.set(key, ref);
    return ref;
  }

  #write(
    op: string,
    name: string,
    inputs: readonly Operand[],
    attributes: Attributes,
    subgraphs: readonly SymbolGraph[] = [],
  ): Ref {
    const attrs = new Map(
      Object.entries(attributes).flatMap(([key, value]) =>
        value === undefined ? [] : [[key, formatAttr(value)] as const],
      ),
    );
    const refs = inputs.map((input) => this.ref(input));
    return this.#push({ op, name, attrs, inputs: refs, controlDeps: [], subgraphs });
  }

  /** Writes a node with outputs that are values of the graph. */
  node(
    op: string,
    inputs: readonly Operand[],
    attributes: Attributes,
    outputs: readonly Value[],
    subgraphs: readonly SymbolGraph[] = [],
  ): void {
    const [first] = outputs;
    const ref = this.#write(
      op,
      this.unique(this.#wanted.get(first!) ?? first!.name.replace(/_output\d*$/, '')),
      inputs,
      attributes,
      subgraphs,
    );
    outputs.forEach((value, output) => this.bind(value, { ...ref, output }));
  }

  /** Writes a node that only other written nodes use. */
  step(
    op: string,
    inputs: readonly Operand[],
    attributes: Attributes = {},
    subgraphs: readonly SymbolGraph[] = [],
  ): Ref {
    const base = this.#node?.name ?? 'step';
    const ref = this.#write(
      op,
      this.unique(`${base}_${op.replace(/^_+/, '').toLowerCase()}`),
      inputs,
      attributes,
      subgraphs,
    );
    this.#unnamed.add(ref.node);
    return ref;
  }

  /** Names the node of an output of the graph after it, unless it has a name by another value. */
  rename(ref: Ref, output: string): void {
    if (!this.#unnamed.delete(ref.node)) return;
    this.nodes[ref.node] = { ...this.nodes[ref.node]!, name: this.unique(nodeName(output)) };
  }

  /** Writes a node that only makes an output of the graph. */
  named(op: string, name: string, inputs: readonly Operand[], attributes: Attributes): Ref {
    return this.#write(op, this.unique(nodeName(name)), inputs, attributes);
  }

  /** Another output of a written node. */
  output(ref: Ref, output: number): Ref {
    return { ...ref, output };
  }

  /** Writes a conversion of elements, if the types differ. */
  cast(operand: Operand, from: DType, to: DType): Operand {
    return from === to ? operand : this.step('Cast', [operand], { dtype: to });
  }

  /** Values written before whose shapes are not known numbers, this graph's first. */
  shaped(): readonly Value[] {
    return [...this.#shaped.values(), ...(this.parent ? this.parent.shaped() : [])];
  }

  /** A value written before that has a size, and on which axis; undefined when there is none. */
  sizeSource(dim: Dim): DimSource | undefined {
    return typeof dim === 'number'
      ? undefined
      : (this.#sized.get(dim.key) ?? this.parent?.sizeSource(dim));
  }

  /** A size as a list of one int64; undefined when no value written before has it. */
  sizeOf(dim: Dim): Ref | undefined {
    const source = this.sizeSource(dim);
    return source && this.cut(this.step('shape_array', [source.value]), 0, source.axis, 1);
  }

  /** Indices from `begin` on, `size` of them, along one axis. */
  cut(operand: Operand, axis: number, begin: number, size: number): Ref {
    return this.step('slice_axis', [operand], { axis, begin, end: begin + size });
  }

  /** The symbol as it stands, with these heads. */
  symbol(heads: readonly Ref[]): SymbolGraph {
    return {
      nodes: this.nodes,
      heads,
      attrs: new Map([['mxnet_version', { type: 'int', value: writtenVersion }]]),
    };
  }
}
