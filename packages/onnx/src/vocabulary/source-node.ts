import {
  isStatic,
  tensor,
  type DroverError,
  type DType,
  type Graph,
  type NodeOrigin,
  type Shape,
  type Tensor,
  type Value,
  type Weight,
} from '@drover/core';
import { ImportedNode } from '@drover/core/format';
import {
  AttributeType,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
} from '../schema/onnx.js';
import { onnxDiagnostics } from '../diagnostics.js';
import type { Scope } from './scope.js';
import { Collected, Collecting, Sequence } from './sequence.js';

/**
 * What an operator passes to a parameter of its body: a tensor of a type, or a sequence that the
 * body collects.
 */
export type Parameter = { readonly dtype: DType; readonly shape: Shape | undefined } | Collecting;

/** A type of attribute by its name in the schema. */
type Type = keyof typeof AttributeType;

/** What a node of the source needs of the graph that it stands in. */
export interface NodeSurroundings {
  readonly scope: Scope;
  /** Elements of a tensor attribute as a handle. */
  weightOf(attribute: AttributeProto): Weight;
  /** Imports a graph attribute as a body whose first parameters have the given types. */
  importBody(name: string, graph: GraphProto, parameters: readonly Parameter[]): Graph;
}

/** Domain and operator, as `com.microsoft.Gelu`; the default domain is not spelled. */
export const operatorOf = ({ domain = '', opType = '' }: NodeProto): string =>
  domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`;

/** The node's name, or that of its first output where it has none. */
export const nodeNameOf = (node: NodeProto): string =>
  node.name || node.output?.find((name) => name !== '') || operatorOf(node);

/** A node of an ONNX graph: operands as values, attributes by kind. */
export class SourceNode extends ImportedNode {
  readonly #attributes: ReadonlyMap<string, AttributeProto>;

  constructor(
    readonly proto: NodeProto,
    /** Version of the operator set that the node's domain is imported at. */
    readonly opset: number,
    source: NodeOrigin,
    private readonly around: NodeSurroundings,
  ) {
    super(around.scope.graph, source);
    this.#attributes = new Map(
      (proto.attribute ?? []).map((attribute) => [attribute.name ?? '', attribute]),
    );
  }

  get scope(): Scope {
    return this.around.scope;
  }

  /** Name of an output; that of the node where the output has none. */
  outputName(index: number): string {
    return this.proto.output?.[index] || this.name;
  }

  get inputCount(): number {
    return this.proto.input?.length ?? 0;
  }

  get outputCount(): number {
    return this.proto.output?.length ?? 0;
  }

  /** Whether somebody may use an output: it has a name. */
  hasOutput(index: number): boolean {
    return (this.proto.output?.[index] ?? '') !== '';
  }

  /** A required operand. Throws `onnx/graph` when it is not there. */
  input(index: number): Value {
    const value = this.optional(index);
    if (value) return value;
    throw onnxDiagnostics.error('graph', {
      message: `${this.type} ${this.name} has no operand ${index}.`,
      origin: this.origin,
    });
  }

  /** An operand that may be left out. */
  optional(index: number): Value | undefined {
    const name = this.proto.input?.[index] ?? '';
    return name === '' ? undefined : this.scope.value(name, this.origin);
  }

  /** A required operand that may be a sequence. Throws `onnx/graph` when it is not there. */
  operand(index: number): Value | Sequence {
    const name = this.proto.input?.[index] ?? '';
    return name === '' ? this.input(index) : this.scope.get(name, this.origin);
  }

  /** All operands from an index on; those left out are skipped. */
  inputs(from = 0): Value[] {
    return (this.proto.input ?? [])
      .slice(from)
      .flatMap((name) => (name === '' ? [] : [this.scope.value(name, this.origin)]));
  }

  /** All operands as they are given, sequences by their elements. */
  given(): Value[] {
    return (this.proto.input ?? []).flatMap((name) => {
      if (name === '') return [];
      const operand = this.scope.get(name, this.origin);
      return operand instanceof Sequence ? operand.values : [operand];
    });
  }

  /**
   * An operand that is a sequence of known length. Throws `core/foreign-op` when the length
   * depends on data.
   */
  sequence(index: number): Sequence {
    const operand = this.scope.get(this.proto.input?.[index] ?? '', this.origin);
    if (
      operand instanceof Sequence &&
      !(operand instanceof Collecting || operand instanceof Collected)
    )
      return operand;
    throw this.unsupported('the length of its sequence is not known');
  }

  /**
   * The elements of an operand that must be known: a constant in memory, or integers that follow
   * from some. Throws `core/foreign-op` when they depend on data.
   */
  constant(index: number): Tensor {
    const operand = this.input(index);
    const stored = operand.constant?.peek();
    if (stored) return stored;
    const { elements, shape, dtype } = operand;
    if (elements && shape && isStatic(elements) && isStatic(shape))
      return tensor(dtype, shape, elements);
    throw this.unsupported(`its operand ${index} (${operand.name}) depends on data`);
  }

  has(name: string): boolean {
    return this.#attributes.has(name);
  }

  #attribute(name: string, ...types: readonly Type[]): AttributeProto | undefined {
    this.reads(name);
    const found = this.#attributes.get(name);
    // Files before IR version 2 state no types.
    if (found?.type && !types.some((type) => AttributeType[type] === found.type))
      throw this.malformed(`its attribute ${name} is not of type ${types[0]}`);
    return found;
  }

  #required<T>(name: string, value: T | undefined): T {
    if (value !== undefined) return value;
    throw onnxDiagnostics.error('graph', {
      message: `${this.type} ${this.name} has no attribute ${name}.`,
      origin: this.origin,
    });
  }

  /**
   * An integer attribute; without a default it must be there. Integers beyond 2^53 are given as the
   * nearest number.
   */
  int(name: string, otherwise?: number): number {
    const value = this.#attribute(name, 'INT')?.i;
    return this.#required(
      name,
      value === undefined ? (this.has(name) ? 0 : otherwise) : Number(value),
    );
  }

  /** An integer attribute as stored, a bigint where a number is not exact; it must be there. */
  exactInt(name: string): number | bigint {
    return this.#required(
      name,
      this.#attribute(name, 'INT')?.i ?? (this.has(name) ? 0 : undefined),
    );
  }

  /**
   * A float attribute; without a default it must be there. Defaults are rounded to float32, as
   * stated attributes are.
   */
  float(name: string, otherwise?: number): number {
    const value = this.#attribute(name, 'FLOAT')?.f;
    return this.#required(
      name,
      value ?? (this.has(name) ? 0 : otherwise === undefined ? undefined : Math.fround(otherwise)),
    );
  }

  /** A text attribute; without a default it must be there. */
  text(name: string, otherwise?: string): string {
    const bytes = this.#attribute(name, 'STRING')?.s;
    return this.#required(
      name,
      bytes ? new TextDecoder().decode(bytes) : this.has(name) ? '' : otherwise,
    );
  }

  /** A list of integers; undefined when absent. */
  ints(name: string): readonly number[] | undefined {
    const attribute = this.#attribute(name, 'INTS');
    return attribute && (attribute.ints ?? []).map(Number);
  }

  /** A list of integers as stored, bigints where a number is not exact; undefined when absent. */
  exactInts(name: string): readonly (number | bigint)[] | undefined {
    const attribute = this.#attribute(name, 'INTS');
    return attribute && (attribute.ints ?? []);
  }

  /** A list of floats; undefined when absent. */
  floats(name: string): readonly number[] | undefined {
    const attribute = this.#attribute(name, 'FLOATS');
    return attribute && Array.from(attribute.floats ?? []);
  }

  /** A list of texts; undefined when absent. */
  texts(name: string): readonly string[] | undefined {
    const attribute = this.#attribute(name, 'STRINGS');
    return attribute && (attribute.strings ?? []).map((bytes) => new TextDecoder().decode(bytes));
  }

  /** A tensor attribute as a handle; undefined when absent. */
  tensor(name: string): Weight | undefined {
    const attribute = this.#attribute(name, 'TENSOR', 'SPARSE_TENSOR');
    return attribute && this.around.weightOf(attribute);
  }

  /**
   * A graph attribute as a body of a core node; parameters beyond the types given have the types
   * that the file declares.
   */
  body(name: string, parameters: readonly Parameter[]): Graph {
    const graph = this.#required(name, this.#attribute(name, 'GRAPH')?.g);
    return this.around.importBody(name, graph, parameters);
  }

  protected stated(): Iterable<string> {
    return this.#attributes.keys();
  }

  /** The error that this node contradicts itself. */
  malformed(reason: string): DroverError {
    return onnxDiagnostics.error('graph', {
      message: `${this.type} ${this.name}: ${reason}.`,
      origin: this.origin,
    });
  }
}
