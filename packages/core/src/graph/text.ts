import type { ValueType } from '../tensor/value-type.js';
import { dimKey, substituteDim, symbol, symbolsOf, type Dim } from '../tensor/dim.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { roundTo } from '../tensor/tensor.js';
import type { Weight } from '../tensor/weight.js';
import type { Graph } from './graph.js';
import { attrsOf, type Node, type Region } from './node.js';
import type { Value } from './value.js';

/**
 * Constants of at most this many elements, where they are in memory, are written with their
 * elements.
 */
const maxPrintedElements = 32;

/** What may stand in a text without quotes. */
export const bareWord = /^[A-Za-z_](?:[\w./~-]|:(?=\w))*$/;

/** Words with a meaning of their own, which names have only in quotes. */
const reservedWords: ReadonlySet<string> = new Set(['_', 'constant', 'graph', 'return', 'weight']);

/**
 * A graph as text, the form of goldens, messages and documentation:
 *
 * ```
 * graph main(x: float32[n, 3]) {
 *   w: float32[3, 10] = weight
 *   one: float32[] = constant [1]
 *   h: float32[n, 10] = MatMul(x, w)
 *   y: float32[n, 10] = Softmax(h) {"axis":1}
 *   return probabilities = y
 * }
 * ```
 *
 * Names are those of the values, in quotes where they are not plain words; a name that another
 * value has gets a suffix and stands in quotes behind. An absent operand is `_`, an unknown shape
 * `[...]`, a node's own name follows `@` where it is not that of its first result. Bodies follow
 * their node: name, captured values in brackets, graph. Constants of all bodies stand in the
 * outermost graph; those with few elements are written out, the others are `weight` (see {@link
 * namedWeights}). Dimensions that depend on data are numbered anew. Origins are not part of the
 * text.
 */
export function printGraph(graph: Graph): string {
  return new Printer(graph).print();
}

/**
 * The weights that the text of a graph only names, by the names that stand there: what parsing it
 * needs.
 */
export function namedWeights(graph: Graph): Map<string, Weight> {
  return new Printer(graph).weights;
}

class Printer {
  readonly weights = new Map<string, Weight>();
  readonly #constants = new Map<Weight, Map<string, string>>();
  readonly #constantIds = new Set<string>();
  readonly #constantLines: string[] = [];
  readonly #dataDependent = new Map<string, Dim>();
  readonly #graph: Graph;

  constructor(graph: Graph) {
    this.#graph = graph;
    for (const value of graph.constants()) {
      const weight = value.constant!;
      const named = this.#constants.get(weight) ?? new Map<string, string>();
      this.#constants.set(weight, named);
      if (named.has(value.name)) continue;
      const id = freeId(value.name, (taken) => this.#constantIds.has(taken));
      this.#constantIds.add(id);
      named.set(value.name, id);
      const elements = printElements(weight);
      if (!elements) this.weights.set(id, weight);
      this.#constantLines.push(
        `${this.#declare(id, value.name, value)} = ${elements ? `constant ${elements}` : 'weight'}`,
      );
    }
  }

  print(): string {
    return `${this.#printGraph(this.#graph, '', this.#constantLines)}\n`;
  }

  #printGraph(graph: Graph, indent: string, constants: readonly string[]): string {
    const ids = new Map<Value, string>();
    const taken = new Set(this.#constantIds);
    const declare = (value: Value): string => {
      const id = freeId(value.name, (other) => taken.has(other));
      taken.add(id);
      ids.set(value, id);
      return this.#declare(id, value.name, value);
    };
    const refer = (value: Value): string =>
      quoted(
        value.constant ? this.#constants.get(value.constant)!.get(value.name)! : ids.get(value)!,
      );
    const lines = [...constants];
    const inputs = graph.inputs.map(declare).join(', ');
    for (const node of graph.sorted()) {
      const operands = node.inputs.map((value) => (value ? refer(value) : '_'));
      const results = node.outputs.map(declare).join(', ');
      lines.push(
        `${results} = ${node.op.name}(${operands.join(', ')})${printAttrs(node)}${nodeName(node)}`,
      );
      for (const [name, region] of Object.entries(node.regions))
        lines.push(this.#printRegion(name, region, refer, indent));
    }
    const outputs = graph.outputs.map(({ name, value }) => {
      const id = refer(value);
      return quoted(name) === id ? id : `${quoted(name)} = ${id}`;
    });
    lines.push(`return ${outputs.join(', ')}`.trimEnd());
    const body = lines.map((line) => `${indent}  ${line}`).join('\n');
    return `graph ${quoted(graph.name)}(${inputs}) {\n${body}\n${indent}}`;
  }

  #printRegion(
    name: string,
    { graph, captures }: Region,
    refer: (value: Value) => string,
    indent: string,
  ): string {
    return `  ${name} [${captures.map(refer).join(', ')}] ${this.#printGraph(graph, `${indent}    `, [])}`;
  }

  #declare(id: string, name: string, type: ValueType): string {
    return `${quoted(id)}${id === name ? '' : ` ${JSON.stringify(name)}`}: ${this.#printType(type)}`;
  }

  #printType({ dtype, shape }: ValueType): string {
    return `${dtype}[${shape ? shape.map((dim) => dimKey(this.#renamed(dim))).join(', ') : '...'}]`;
  }

  /**
   * A dimension in which those that depend on data are numbered in the order in which the text
   * meets them.
   */
  #renamed(dim: Dim): Dim {
    const dependent = [...symbolsOf(dim)].filter((name) => name.startsWith('?'));
    for (const name of dependent) {
      if (!this.#dataDependent.has(name))
        this.#dataDependent.set(
          name,
          symbol(`${name.replace(/_\d+$/, '')}_${this.#dataDependent.size}`),
        );
    }
    return dependent.length > 0 ? substituteDim(dim, this.#dataDependent) : dim;
  }
}

function freeId(name: string, isTaken: (id: string) => boolean): string {
  let id = name;
  for (let k = 2; isTaken(id); k++) id = `${name}~${k}`;
  return id;
}

function quoted(name: string): string {
  return bareWord.test(name) && !reservedWords.has(name) ? name : JSON.stringify(name);
}

function nodeName(node: Node): string {
  return node.name === node.outputs[0]?.name ? '' : ` @ ${quoted(node.name)}`;
}

function printAttrs(node: Node): string {
  const printed = attrsOf(node).map(([name, attr, value]) => [name, attr.print(value)]);
  return printed.length > 0 ? ` ${JSON.stringify(Object.fromEntries(printed))}` : '';
}

/**
 * The elements of a small constant in memory as a JSON list. A NaN has bits that text does not
 * show, so a constant with one is only named.
 */
function printElements(weight: Weight): string | undefined {
  const elements =
    weight.shape.reduce((a, b) => a * b, 1) <= maxPrintedElements ? weight.peek() : undefined;
  if (!elements || Array.from(elements.data as Iterable<unknown>).some(Number.isNaN))
    return undefined;
  const printed = Array.from(elements.data as ArrayLike<number | bigint | string>, (element) =>
    JSON.stringify(printElement(element, elements.dtype)),
  );
  return `[${printed.join(', ')}]`;
}

/**
 * A number, `true` or `false`, or a text; infinite numbers, -0 and integers beyond 2^53 are texts
 * too.
 */
function printElement(element: number | bigint | string, dtype: DType): number | string | boolean {
  if (dtype === 'bool') return element === 1;
  if (typeof element === 'string') return element;
  if (typeof element === 'bigint')
    return Number.isSafeInteger(Number(element)) ? Number(element) : String(element);
  if (!Number.isFinite(element) || Object.is(element, -0))
    return Object.is(element, -0) ? '-0' : String(element);
  return isFloat(dtype) ? shortest(element, dtype) : element;
}

/** The number of fewest digits that the type rounds to the given one. */
function shortest(value: number, dtype: DType): number {
  for (let digits = 1; digits < 17; digits++) {
    const short = Number(value.toPrecision(digits));
    if (roundTo(dtype, Float64Array.of(short))[0] === value) return short;
  }
  return value;
}
