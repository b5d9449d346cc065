import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { DroverError } from '../diagnostics/diagnostic.js';
import type { Attrs, AttrValues, Json } from '../ops/attr.js';
import type { Op, RegionName } from '../ops/define-op.js';
import type { ValueType } from '../tensor/value-type.js';
import { ops } from '../ops/ops.js';
import {
  isStatic,
  sameDim,
  substituteDim,
  symbolsOf,
  type Dim,
  type Shape,
} from '../tensor/dim.js';
import { dtypes, isInt, type DType } from '../tensor/dtype.js';
import { parseDim } from '../tensor/parse-dim.js';
import { sizeOf, tensor, type Tensor } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import { Graph } from './graph.js';
import { freshDim, inferTypes } from './infer.js';
import { Node, type Region } from './node.js';
import { resultOf } from './origin.js';
import { Scanner } from './scanner.js';
import { Value } from './value.js';

const operators: ReadonlyMap<string, Op> = new Map(
  Object.entries(ops as unknown as Readonly<Record<string, Op>>),
);

/** Bodies nest at most this deep. */
const maxDepth = 64;

/**
 * The graph of a text that `printGraph` wrote. `weights` holds the constants that the text only
 * names. Types are inferred again and must agree with those written. Throws `core/invalid-text`
 * with the line of what is wrong.
 */
export function parseGraph(text: string, weights: ReadonlyMap<string, Weight> = new Map()): Graph {
  const scanner = new Scanner(text);
  const graph = new Parser(scanner, weights).graph(undefined, new Map(), []);
  scanner.end();
  return graph;
}

/**
 * What stands before a `:` or `=`: an id of the text, the name of the value, its type, and where.
 */
interface Declaration {
  readonly id: string;
  readonly name: string;
  readonly type: ValueType;
  readonly at: number;
}

class Parser {
  readonly #scanner: Scanner;
  readonly #weights: ReadonlyMap<string, Weight>;
  /** The constants of all bodies. */
  readonly #constants = new Map<string, Value>();
  /** New names of the dimensions that depend on data. */
  readonly #dataDependent = new Map<string, Dim>();
  #depth = 0;

  constructor(scanner: Scanner, weights: ReadonlyMap<string, Weight>) {
    this.#scanner = scanner;
    this.#weights = weights;
  }

  /** A graph; `captured` are the values of the graph around it that its last inputs stand for. */
  graph(parent: Graph | undefined, values: Map<string, Value>, captured: readonly Value[]): Graph {
    const scanner = this.#scanner;
    if (++this.#depth > maxDepth) throw scanner.error(`bodies nest deeper than ${maxDepth} levels`);
    scanner.keyword('graph');
    const graph = new Graph(scanner.id(), parent);
    scanner.expect('(');
    if (!scanner.take(')')) {
      do {
        const declared = this.#declaration();
        this.#define(
          values,
          declared,
          graph.input(declared.name, declared.type.dtype, declared.type.shape),
        );
      } while (scanner.take(','));
      scanner.expect(')');
    }
    const parameters = graph.inputs.length - captured.length;
    if (parameters < 0)
      throw scanner.error(`${captured.length} captured values for ${graph.inputs.length} inputs`);
    captured.forEach((value, i) => (graph.inputs[parameters + i]!.elements = value.elements));
    scanner.expect('{');
    while (!scanner.takeKeyword('return')) this.#statement(graph, values);
    if (!scanner.take('}')) {
      do {
        const at = scanner.at;
        const name = scanner.id();
        graph.output(
          name,
          scanner.take('=') ? this.#reference(values) : this.#find(values, name, at),
        );
      } while (scanner.take(','));
      scanner.expect('}');
    }
    this.#depth--;
    return graph;
  }

  #statement(graph: Graph, values: Map<string, Value>): void {
    const scanner = this.#scanner;
    const results: Declaration[] = [];
    if (!scanner.peek('=')) {
      do results.push(this.#declaration());
      while (scanner.take(','));
    }
    scanner.expect('=');
    const [first] = results;
    if (first && scanner.takeKeyword('constant')) {
      const json = scanner.json();
      this.#constant(
        first,
        this.#guarded(first.at, () => Weight.from(elementsOf(json, first.type))),
      );
    } else if (first && scanner.takeKeyword('weight')) this.#constant(first, this.#weight(first));
    else this.#node(graph, values, results);
  }

  #constant({ id, name, at }: Declaration, weight: Weight): void {
    if (this.#constants.has(id))
      throw this.#scanner.error(`${JSON.stringify(id)} is declared twice`, at);
    this.#constants.set(id, new Graph().constant(weight, name));
  }

  #weight({ id, at, type: { dtype, shape } }: Declaration): Weight {
    const weight = this.#weights.get(id);
    if (!weight) throw this.#scanner.error(`there is no weight ${JSON.stringify(id)}`, at);
    if (weight.dtype !== dtype || weight.shape.join() !== shape?.join()) {
      throw this.#scanner.error(
        `the weight ${JSON.stringify(id)} is ${weight.dtype}[${weight.shape.join(', ')}]`,
        at,
      );
    }
    return weight;
  }

  #node(graph: Graph, values: Map<string, Value>, results: readonly Declaration[]): void {
    const scanner = this.#scanner;
    const at = scanner.at;
    const opName = scanner.id();
    const op = operators.get(opName);
    if (!op) throw scanner.error(`there is no operator ${JSON.stringify(opName)}`, at);
    scanner.expect('(');
    const inputs: (Value | undefined)[] = [];
    if (!scanner.take(')')) {
      do inputs.push(scanner.takeKeyword('_') ? undefined : this.#reference(values));
      while (scanner.take(','));
      scanner.expect(')');
    }
    const attrs = scanner.peek('{') ? this.#attrs(op) : {};
    const name = scanner.take('@') ? scanner.id() : (results[0]?.name ?? opName);
    const regions: Partial<Record<RegionName, Region>> = {};
    for (const region of op.regions ?? []) {
      scanner.keyword(region);
      scanner.expect('[');
      const captures: Value[] = [];
      if (!scanner.take(']')) {
        do captures.push(this.#reference(values));
        while (scanner.take(','));
        scanner.expect(']');
      }
      regions[region] = { graph: this.graph(graph, new Map(), captures), captures };
    }
    const origin = { file: '', path: [], node: name, op: op.name };
    const node = new Node<Op>(op, inputs, attrs as AttrValues<Attrs>, regions, name, origin);
    const types = this.#guarded(at, () => inferTypes(node, results.length));
    if (types.length !== results.length)
      throw scanner.error(`${op.name} has ${types.length} results, not ${results.length}`, at);
    results.forEach((declared, i) => {
      const inferred = types[i]!;
      if (!agrees(inferred, declared.type)) {
        throw scanner.error(
          `${JSON.stringify(declared.id)} is ${inferred.dtype}[${inferred.shape?.join(', ') ?? '...'}]`,
          declared.at,
        );
      }
      const { elements, isUntyped } = inferred;
      const type = { ...declared.type, elements, isUntyped };
      const from = resultOf(origin, i, declared.name);
      const value = new Value(declared.name, type, undefined, from);
      value.producer = node;
      node.outputs.push(value);
      this.#define(values, declared, value);
    });
    graph.adopt(node);
  }

  #attrs(op: Op): Record<string, unknown> {
    const scanner = this.#scanner;
    const at = scanner.at;
    const json = scanner.json() as { readonly [key: string]: Json };
    const declared = new Map(Object.entries(op.attrs));
    const attrs = Object.entries(json).map(([name, value]) => {
      const attr = declared.get(name);
      if (!attr) throw scanner.error(`${op.name} has no attribute ${JSON.stringify(name)}`, at);
      return [name, this.#guarded(at, () => attr.parse(value))];
    });
    return Object.fromEntries(attrs) as Record<string, unknown>;
  }

  #declaration(): Declaration {
    const scanner = this.#scanner;
    const at = scanner.at;
    const id = scanner.id();
    const name = scanner.takeString() ?? id;
    scanner.expect(':');
    return { id, name, type: this.#type(), at };
  }

  #type(): ValueType {
    const scanner = this.#scanner;
    const at = scanner.at;
    const word = scanner.id();
    const dtype = dtypes.find((known) => known === word);
    if (!dtype) throw scanner.error(`${JSON.stringify(word)} is not an element type`, at);
    scanner.expect('[');
    const dims = scanner.until(']');
    return {
      dtype: dtype as DType,
      shape: dims.join() === '...' ? undefined : dims.map((text) => this.#dim(text, at)),
    };
  }

  #dim(text: string, at: number): Dim {
    const dim = this.#guarded(at, () => parseDim(text));
    const dependent = [...symbolsOf(dim)].filter((name) => name.startsWith('?'));
    for (const name of dependent) {
      if (!this.#dataDependent.has(name))
        this.#dataDependent.set(name, freshDim(name.slice(1).replace(/_\d+$/, '')));
    }
    return dependent.length > 0 ? substituteDim(dim, this.#dataDependent) : dim;
  }

  #reference(values: ReadonlyMap<string, Value>): Value {
    const at = this.#scanner.at;
    return this.#find(values, this.#scanner.id(), at);
  }

  #find(values: ReadonlyMap<string, Value>, id: string, at: number): Value {
    const value = values.get(id) ?? this.#constants.get(id);
    if (!value) throw this.#scanner.error(`there is no value ${JSON.stringify(id)}`, at);
    return value;
  }

  #define(values: Map<string, Value>, { id, at }: Declaration, value: Value): void {
    if (values.has(id) || this.#constants.has(id))
      throw this.#scanner.error(`${JSON.stringify(id)} is declared twice`, at);
    values.set(id, value);
  }

  /** What `run` gives; a typed error of its own becomes one of the text, at its line. */
  #guarded<T>(at: number, run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (error instanceof DroverError)
        throw this.#scanner.error(error.diagnostics[0]!.message, at);
      throw error;
    }
  }
}

/**
 * A constant's tensor from the JSON list of its elements. Throws `core/invalid-shape` when they are
 * too many, too few or of another type.
 */
function elementsOf(json: Json, { dtype, shape }: ValueType): Tensor {
  const invalid = (message: string) =>
    coreDiagnostics.error('invalid-shape', { message, origin: { file: '' } });
  const written = `${dtype}[${shape?.join(', ') ?? '...'}]`;
  if (!shape || !isStatic(shape)) throw invalid(`A constant cannot be ${written}.`);
  const count = sizeOf(shape) * (dtype.startsWith('complex') ? 2 : 1);
  if (!Array.isArray(json) || json.length !== count)
    throw invalid(`The elements do not fill ${written}.`);
  const wrong = json.find((element) => !isElement(element, dtype));
  if (wrong !== undefined) throw invalid(`${JSON.stringify(wrong)} is not ${dtype}.`);
  return tensor(dtype, shape, json);
}

function isElement(json: Json, dtype: DType): boolean {
  if (dtype === 'string' || dtype === 'bool')
    return typeof json === (dtype === 'bool' ? 'boolean' : 'string');
  if (isInt(dtype))
    return Number.isSafeInteger(json) || (typeof json === 'string' && /^-?\d{1,20}$/.test(json));
  return typeof json === 'number' || (typeof json === 'string' && /^(-?Infinity|-0)$/.test(json));
}

/**
 * Whether a written type can be that of a value for which another was inferred: what both know is
 * the same.
 */
function agrees(inferred: ValueType, written: ValueType): boolean {
  const fits = (a: Shape, b: Shape) =>
    a.length === b.length &&
    a.every((dim, i) => typeof dim !== 'number' || typeof b[i] !== 'number' || sameDim(dim, b[i]!));
  return (
    inferred.dtype === written.dtype &&
    (!inferred.shape || !written.shape || fits(inferred.shape, written.shape))
  );
}
