import {
  ByteHandle,
  encodeTensor,
  isStatic,
  tensor as makeTensor,
  type Dim,
  type DType,
  type Graph,
  type Node,
  type Region,
  type Shape,
  type Value,
  type Weight,
} from '@drover/core';
import { dimKey, dimSources, foldDim, type DimSource, type NodeWriter } from '@drover/core/format';
import type {
  AttributeProto,
  GraphProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from '../schema/onnx.js';
import { dataTypeOf } from '../codec/data-type.js';
import { tensorProto } from '../codec/tensor-content.js';
import type { Attributes } from './attribute.js';
import { int } from './attribute.js';
import { misfit } from './fits.js';
import type { Names } from './names.js';
import { valueInfo } from './value-info.js';

/** An operand to write: a value of the graph, the name of something written before, or nothing. */
export type Operand = Value | string | undefined;

/** Told of each constant that is written. */
type OnConstant = (name: string, weight: Weight) => void;

/** What the graphs of a model share while they are written. */
export interface WrittenModel {
  /** Version of the default operator set to write. */
  readonly opset: number;
  readonly names: Names;
  readonly onConstant: OnConstant;
  /** Writes the nodes of a graph by the format's rules. */
  writeNodes(writer: GraphWriter): void;
  /** Why a node has no form in this version of the operator set, whatever its rule writes. */
  refusal(node: Node): string | undefined;
}

/**
 * Writes the nodes of one graph in ONNX terms. Names are unique in the whole model: bodies may not
 * shadow what they capture.
 */
export class GraphWriter implements NodeWriter {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly #names = new Map<Value, string>();
  readonly #literals = new Map<string, string>();
  readonly #dims = new Map<string, string>();
  readonly #sources: ReadonlyMap<string, DimSource>;
  /** Versions of the operator sets beside the default one. */
  readonly domains = new Map<string, number>();
  #node: Node | undefined;
  #misfit: string | undefined;

  constructor(
    readonly graph: Graph,
    private readonly model: WrittenModel,
    private readonly parent?: GraphWriter,
  ) {
    this.#sources = parent ? parent.#sources : dimSources(graph);
  }

  /** Version of the default operator set to write. */
  get opset(): number {
    return this.model.opset;
  }

  refusal(node: Node): string | undefined {
    return this.model.refusal(node);
  }

  /** Fixes the name of a value: the signature's, or that of a captured value. */
  bind(value: Value, name: string): void {
    this.#names.set(value, name);
  }

  /** Values are referred to by name, so what is missing is missed by nothing. */
  lose(): void {}

  written(value: Value): string | undefined {
    return this.#names.get(value);
  }

  /** Whether a value has its name already, as those of the signature. */
  isNamed(value: Value): boolean {
    return this.#names.has(value);
  }

  /** The name under which a value is written; constants become initializers when first used. */
  name(value: Value): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const name = this.model.names.value(value.name);
    this.#names.set(value, name);
    if (value.constant) {
      this.root.initializers.push(weightProto(name, value.constant));
      this.model.onConstant(name, value.constant);
    }
    return name;
  }

  get root(): GraphWriter {
    return this.parent?.root ?? this;
  }

  /**
   * Starts the nodes of a core node: they are named after it. Without one they are named after what
   * they make.
   */
  begin(node: Node | undefined): void {
    this.#node = node;
    this.#misfit = undefined;
  }

  /** Why what was written since {@link begin} is not valid in this version of the operator set. */
  get misfit(): string | undefined {
    return this.#misfit;
  }

  /** Writes a node whose outputs are values of the graph, under the name of the core node. */
  node(
    opType: string,
    inputs: readonly Operand[],
    attributes: Attributes,
    outputs: readonly (Value | string | undefined)[],
  ): void {
    const [first] = outputs;
    this.#write(
      { opType, name: this.#node?.name ?? (typeof first === 'string' ? first : opType) },
      inputs,
      attributes,
      outputs,
    );
  }

  /** Writes a node of any domain, its attributes as they are. */
  foreign(
    opType: string,
    domain: string,
    inputs: readonly Operand[],
    attribute: readonly AttributeProto[],
    outputs: readonly Value[],
  ): void {
    this.#write(
      { opType, name: this.#node?.name ?? opType, attribute, ...(domain !== '' && { domain }) },
      inputs,
      {},
      outputs,
    );
  }

  #write(
    node: NodeProto,
    inputs: readonly Operand[],
    attributes: Attributes,
    outputs: readonly (Value | string | undefined)[],
  ): void {
    const dtypes = (values: readonly Operand[]) =>
      values.map((each) => (typeof each === 'object' ? each.dtype : undefined));
    // Of a node that is carried over, core does not know the types.
    if (this.#node?.op.name !== 'Foreign')
      this.#misfit ??= misfit(node.opType!, this.opset, dtypes(inputs), dtypes(outputs));
    const names = inputs.map((input) =>
      input === undefined ? '' : typeof input === 'string' ? input : this.name(input),
    );
    while (names.at(-1) === '') names.pop();
    this.nodes.push({
      input: names,
      output: outputs.map((output) =>
        output === undefined ? '' : typeof output === 'string' ? output : this.name(output),
      ),
      opType: node.opType!,
      attribute: Object.entries(attributes)
        .flatMap(([name, attribute]) => (attribute ? [{ name, ...attribute }] : []))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      ...node,
      name: this.model.names.node(node.name!),
    });
  }

  /** Writes a node with one output that only other written nodes use, and gives its name. */
  step(opType: string, inputs: readonly Operand[], attributes: Attributes = {}): string {
    const name = this.#node ? `${this.#node.name}/${opType}` : opType;
    const output = this.model.names.made(`${name}_output`);
    this.#write({ opType, name }, inputs, attributes, [output]);
    return output;
  }

  /** A small constant, written once for equal content. */
  literal(dtype: DType, shape: readonly number[], values: readonly (number | bigint)[]): string {
    const key = `${dtype}[${shape.join()}]:${values.map((value) => (Object.is(value, -0) ? '-0' : String(value))).join()}`;
    const known = this.root.#literals.get(key);
    if (known !== undefined) return known;
    const name = this.model.names.made(`constant/${dtype}_${shape.join('x')}`);
    this.root.initializers.push(
      tensorProto(name, {
        dtype: dtype as Exclude<DType, 'string'>,
        shape,
        data: ByteHandle.of(encodeTensor(makeTensor(dtype, shape, values))),
      }),
    );
    this.root.#literals.set(key, name);
    return name;
  }

  /** int64 constants in one dimension. */
  ints(values: readonly number[]): string {
    return this.literal('int64', [values.length], values);
  }

  /**
   * Dimensions as an int64 tensor of one dimension: a constant, or what computes them from the
   * shapes of the inputs. Equal ones are computed once.
   */
  dims(dims: Shape): string {
    if (isStatic(dims)) return this.ints(dims);
    if (dims.length === 1) return this.dim(dims[0]!);
    const { root } = this;
    return root.#computed(
      `dims/${dims.map(dimKey).join(', ')}`,
      'Concat',
      () => dims.map((dim) => root.dim(dim)),
      { axis: int(0) },
    );
  }

  /** Integers as int64, as ONNX has all its shapes and counts. */
  int64(value: Value): Value | string {
    return value.dtype === 'int64'
      ? value
      : this.step('Cast', [value], { to: int(dataTypeOf('int64')) });
  }

  /** One integer as an int64 tensor of shape [1]. */
  vector(value: Value): Value | string {
    return value.rank === 1
      ? this.int64(value)
      : this.step('Reshape', [this.int64(value), this.ints([1])]);
  }

  /** A dimension as an int64 tensor of shape [1]. */
  dim(dim: Dim): string {
    if (typeof dim === 'number') return this.ints([dim]);
    const { root } = this;
    const key = (name: string) => `dim/${name}`;
    const operation = (opType: string, sign: string) => (a: string, b: string) =>
      root.#computed(`${a} ${sign} ${b}`, opType, () => [a, b]);
    return foldDim<string>(dim, {
      constant: (value) => root.ints([value]),
      symbol: (symbol) =>
        root.#computed(key(symbol), 'Gather', () => root.#shape(symbol), { axis: int(0) }),
      add: operation('Add', '+'),
      mul: operation('Mul', '*'),
      // ONNX Div truncates; a - mod(a, b) is a multiple of b, so that truncating its quotient loses
      // nothing.
      floordiv: (a, b) => {
        const rest = operation('Mod', 'mod')(a, b);
        return operation('Div', '/')(operation('Sub', '-')(a, rest), b);
      },
      min: operation('Min', 'min'),
      max: operation('Max', 'max'),
    });
  }

  /** The shape that tells a named dimension, and the place in it. */
  #shape(symbol: string): readonly string[] {
    const { input, axis } = this.#sources.get(symbol)!;
    const shape = this.#computed(`shape/${this.name(input)}`, 'Shape', () => [this.name(input)]);
    return [shape, this.ints([axis])];
  }

  /**
   * A value of dimensions under the name of what it is, so that reading and writing again names it
   * the same.
   */
  #computed(
    name: string,
    opType: string,
    inputs: () => readonly string[],
    attributes: Attributes = {},
  ): string {
    const known = this.#dims.get(name);
    if (known !== undefined) return known;
    const operands = inputs();
    const output = this.model.names.made(name);
    this.#write({ opType, name }, operands, attributes, [output]);
    this.#dims.set(name, output);
    return output;
  }

  /** Whether a dimension can be computed from the inputs' shapes. */
  canCompute(dims: Shape): boolean {
    return dims.every((dim) =>
      foldDim<boolean>(dim, {
        constant: () => true,
        symbol: (name) => this.#sources.has(name),
        add: (a, b) => a && b,
        mul: (a, b) => a && b,
        floordiv: (a, b) => a && b,
        min: (a, b) => a && b,
        max: (a, b) => a && b,
      }),
    );
  }

  /** A body of a node in ONNX terms: captured values keep the names they have outside. */
  regionProto({ graph, captures }: Region): GraphProto {
    const writer = new GraphWriter(graph, this.model, this);
    const parameters = graph.inputs.slice(0, graph.inputs.length - captures.length);
    captures.forEach((value, i) =>
      writer.bind(graph.inputs[parameters.length + i]!, this.name(value)),
    );
    for (const input of parameters) writer.bind(input, this.model.names.value(input.name));
    this.model.writeNodes(writer);
    const bound = new Set<string>();
    const outputs = graph.outputs.map(({ value }) => {
      const isOwn = value.producer !== undefined && !bound.has(writer.name(value));
      const name = isOwn ? writer.name(value) : writer.step('Identity', [value]);
      bound.add(name);
      return valueInfo(name, value);
    });
    return writer.proto(
      graph.name,
      parameters.map((input) => valueInfo(writer.name(input), input)),
      outputs,
    );
  }

  /** The graph as it stands, with inputs and outputs of the given names and types. */
  proto(
    name: string,
    inputs: readonly ValueInfoProto[],
    outputs: readonly ValueInfoProto[],
  ): GraphProto {
    return {
      node: this.nodes,
      name,
      initializer: this.initializers,
      input: inputs,
      output: outputs,
    };
  }
}

/** A weight as a tensor to write: its elements are read when they are written. */
function weightProto(name: string, weight: Weight): TensorProto {
  const { dtype, shape } = weight;
  if (dtype === 'string')
    return tensorProto(name, { dtype, shape, data: weight.peek()!.data as readonly string[] });
  return tensorProto(name, { dtype, shape, data: weight.handle });
}
