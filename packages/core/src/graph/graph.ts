import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Attrs, AttrValues } from '../ops/attr.js';
import type { GivenOperands, Op, Operands, PerOperand } from '../ops/define-op.js';
import type { ValueType } from '../tensor/value-type.js';
import { isStatic, symbolsOf, type Dim, type Shape } from '../tensor/dim.js';
import type { DType } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import { inferTypes } from './infer.js';
import { flatten, Node, type Region } from './node.js';
import {
  mergedOrigin,
  partOf,
  resultOf,
  valueOf,
  type NodeOrigin,
  type ValueOrigin,
} from './origin.js';
import { inOrder } from './order.js';
import { ownMember } from './own-member.js';
import { Value } from './value.js';

/** Integer constants of at most this many elements are looked at as symbolic values. */
const maxKnownElements = 1024;

/** A result of a graph, under the name that callers know. */
export interface Output {
  name: string;
  value: Value;
}

/** What a new node may state beside operands and attributes. */
export interface NodeOptions {
  readonly name?: string | undefined;
  /** Defaults to what the graph is {@link Graph.standingFor | standing for}. */
  readonly origin?: NodeOrigin | undefined;
  /** Names for the results, in order. Defaults to the node's name. */
  readonly outputs?: readonly string[] | undefined;
  readonly regions?: Readonly<Record<string, Region>>;
  /** Number of values of a `many` result, where operands and attributes do not tell. */
  readonly resultCount?: number;
}

/**
 * A dimension that depends on data: it cannot stand in an attribute, because no input of the model
 * tells it.
 */
export function isDataDependent(dim: Dim): boolean {
  return typeof dim !== 'number' && [...symbolsOf(dim)].some((name) => name.startsWith('?'));
}

/**
 * A graph: inputs, nodes, outputs. Nodes keep the order in which they were added; `sorted` gives an
 * order in which every node follows what it needs. A new node's types are inferred at once, so a
 * graph under construction always knows its shapes.
 */
export class Graph {
  readonly inputs: Value[] = [];
  readonly outputs: Output[] = [];
  readonly #nodes = new Set<Node>();
  /** Values of the graph around this one, and the input that stands for each. */
  readonly #captures = new Map<Value, Value>();
  #provenance: NodeOrigin | undefined;

  constructor(
    public name = 'main',
    /** The graph around this one, when this is the body of a node. */
    readonly parent: Graph | undefined = undefined,
  ) {}

  /** The node of the source in whose place nodes are being added. */
  get provenance(): NodeOrigin | undefined {
    return this.#provenance ?? this.parent?.provenance;
  }

  /**
   * Lets nodes that `build` adds, here or in bodies, stand for a node of the source: it is their
   * origin unless they are given another.
   */
  standingFor<T>(origin: NodeOrigin, build: () => T): T {
    const before = this.#provenance;
    this.#provenance = origin;
    try {
      return build();
    } finally {
      this.#provenance = before;
    }
  }

  /** Nodes in the order they were added. */
  get nodes(): Iterable<Node> {
    return this.#nodes;
  }

  /** How many graphs are around this one. */
  get depth(): number {
    let depth = 0;
    for (let around = this.parent; around; around = around.parent) depth++;
    return depth;
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** Declares an input. */
  input(name: string, dtype: DType, shape: Shape | undefined, origin?: ValueOrigin): Value {
    const { provenance } = this;
    const from = origin ?? (provenance ? partOf(provenance, 0) : valueOf('', name));
    const value = new Value(name, { dtype, shape }, undefined, from);
    this.inputs.push(value);
    return value;
  }

  /** Declares an output. */
  output(name: string, value: Value): void {
    this.outputs.push({ name, value });
  }

  /** A constant over a handle. Small integer constants in memory become known elements. */
  constant(weight: Weight, name = 'constant', origin?: ValueOrigin): Value {
    const known =
      /int/.test(weight.dtype) && weight.shape.reduce((a, b) => a * b, 1) <= maxKnownElements
        ? weight.peek()
        : undefined;
    const elements = known && Array.from(known.data as ArrayLike<number | bigint>, Number);
    return new Value(
      name,
      {
        dtype: weight.dtype,
        shape: weight.shape,
        elements: elements?.every(Number.isSafeInteger) ? elements : undefined,
      },
      weight,
      origin,
    );
  }

  /** A constant from plain values, for what a rule makes itself. */
  literal(
    dtype: DType,
    shape: readonly number[],
    values: readonly (number | bigint | boolean | string)[],
    name?: string,
  ): Value {
    return this.constant(Weight.from(tensor(dtype, shape, values)), name);
  }

  /**
   * The input that stands for a value of the graph around this one. Constants are shared, not
   * captured.
   */
  capture(outer: Value): Value {
    if (outer.constant) return outer;
    const known = this.#captures.get(outer);
    if (known) return known;
    const inner = this.input(outer.name, outer.dtype, outer.shape, outer.origin);
    inner.type = outer.type;
    this.#captures.set(outer, inner);
    return inner;
  }

  /** Closes a body: its graph with the captured values in the order of its last inputs. */
  region(): Region {
    return { graph: this, captures: [...this.#captures.keys()] };
  }

  /**
   * Adds a node and gives its results. Operands that state a `dimsOrOperand` attribute move into
   * the attribute when their elements are known. Throws `core/invalid-shape` or
   * `core/invalid-graph` when operands, attributes or constraints do not hold.
   */
  add<I extends Operands, O extends Operands, A extends Attrs>(
    op: Op<I, O, A>,
    operands: GivenOperands<I, Value>,
    attrs: AttrValues<A>,
    options: NodeOptions = {},
  ): PerOperand<O, Value> {
    const name = options.name ?? op.name;
    const { provenance } = this;
    // A node that stands for nothing else is its own source.
    const own = { file: '', path: [], node: name, op: op.name };
    const origin = options.origin ?? provenance ?? own;
    let given: Readonly<Record<string, unknown>> = operands;
    let settled: Readonly<Record<string, unknown>> = { ...attrs };
    for (const [key, { operand }] of Object.entries(op.attrs)) {
      if (operand === undefined || ownMember(settled, key) !== null) continue;
      const { elements } = (ownMember(given, operand) ?? {}) as Partial<Value>;
      if (!elements || elements.some(isDataDependent)) continue;
      settled = { ...settled, [key]: elements };
      given = { ...given, [operand]: undefined };
    }
    const inputs = flatten<Value>(op.inputs, given);
    while (inputs.length > 0 && inputs.at(-1) === undefined) inputs.pop();
    const node = new Node<Op<I, O, A>>(
      op,
      inputs,
      settled as AttrValues<A>,
      options.regions ?? {},
      name,
      origin,
    );
    const types = inferTypes(node as Node, options.resultCount);
    types.forEach((type, i) => {
      const result = options.outputs?.[i] || (types.length > 1 ? `${name}:${i}` : name);
      const from = origin === own ? resultOf(own, i, result) : partOf(origin, i);
      const value = new Value(result, type, undefined, from);
      value.producer = node as Node;
      node.outputs.push(value);
    });
    this.adopt(node as Node);
    return node.results;
  }

  /** Takes in a node that was made elsewhere, with its results. */
  adopt(node: Node): void {
    for (const value of node.dependencies()) value.users.add(node);
    this.#nodes.add(node);
  }

  /** The node that {@link Graph.add} made for a result. */
  static producer(value: Value): Node {
    if (!value.producer)
      throw coreDiagnostics.error('invalid-graph', {
        message: `${value.name} has no producer.`,
        origin: { file: '' },
      });
    return value.producer;
  }

  /**
   * Puts `to` in the place of `from` everywhere in this graph: operands, captures and outputs. From
   * now on `to` is what `from` was in the source, beside what it was already.
   */
  replaceUses(from: Value, to: Value): void {
    if (from === to) return;
    if (!to.constant && from.origin)
      to.origin = to.origin ? mergedOrigin(to.origin, from.origin) : from.origin;
    for (const node of [...from.users]) {
      node.inputs.forEach((value, i) => value === from && (node.inputs[i] = to));
      for (const { captures } of Object.values(node.regions))
        captures.forEach((value, i) => value === from && (captures[i] = to));
      to.users.add(node);
    }
    from.users.clear();
    for (const output of this.outputs) if (output.value === from) output.value = to;
  }

  /** Sets one operand of a node. */
  setInput(node: Node, index: number, value: Value | undefined): void {
    const before = node.inputs[index];
    node.inputs[index] = value;
    if (before && ![...node.dependencies()].includes(before)) before.users.delete(node);
    value?.users.add(node);
  }

  /** Infers a node's result types again, after its operands or attributes changed. */
  infer(node: Node): void {
    inferTypes(node, node.outputs.length).forEach((type, i) => (node.outputs[i]!.type = type));
  }

  /** Takes a node out. Its results must have no uses left. */
  remove(node: Node): void {
    this.#nodes.delete(node);
    for (const value of node.dependencies()) value.users.delete(node);
  }

  /**
   * Nodes in an order in which each follows what it needs, as near to the order of addition as that
   * allows. Throws `core/invalid-graph` that names a node of a cycle.
   */
  sorted(): Node[] {
    return inOrder(this.#nodes, (user) =>
      [...user.dependencies()]
        .map((value) => value.producer)
        .filter((node): node is Node => node !== undefined && this.#nodes.has(node)),
    );
  }

  /**
   * Constants in use, in the order of their first use, those of bodies after those of the graph
   * around them.
   */
  constants(): Value[] {
    const found = new Set<Value>();
    const nodes = this.sorted();
    for (const node of nodes)
      for (const value of node.dependencies()) if (value.constant) found.add(value);
    for (const { value } of this.outputs) if (value.constant) found.add(value);
    for (const { regions } of nodes)
      for (const { graph } of Object.values(regions))
        for (const value of graph.constants()) found.add(value);
    return [...found];
  }

  /** Names of the dimensions that the inputs bind. */
  symbols(): Set<string> {
    return new Set(
      this.inputs.flatMap(({ shape }) => (shape ?? []).flatMap((dim) => [...symbolsOf(dim)])),
    );
  }
}

/** The shape of a value where it must be known. Throws `core/invalid-shape`. */
export function knownShape(value: Value | ValueType): Shape {
  if (value.shape) return value.shape;
  throw coreDiagnostics.error('invalid-shape', {
    message: `The rank of ${String(value)} is not known.`,
    origin: { file: '' },
  });
}

/** The shape of a value where every dimension must be a number. Throws `core/invalid-shape`. */
export function staticShape(value: Value | ValueType): readonly number[] {
  const shape = knownShape(value);
  if (isStatic(shape)) return shape;
  throw coreDiagnostics.error('invalid-shape', {
    message: `The shape of ${String(value)} is not known before the model runs.`,
    origin: { file: '' },
  });
}
