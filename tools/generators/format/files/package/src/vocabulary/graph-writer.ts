import type { Graph, Node, Value, Weight } from '@drover/core';
import { UniqueNames, type JsonValue, type NodeWriter } from '@drover/core/format';
import { storedTypes, type FileOperator } from '../codec/index.js';

/** Attributes to write. */
export type Attributes = Readonly<Record<string, JsonValue>>;

/** Why the format cannot hold a value. */
export const unheld = ({ dtype }: Value): string | undefined =>
  storedTypes.has(dtype) ? undefined : `__title__ has no ${dtype}`;

/** Writes the nodes of a graph as operators of a model file, and notes the tensors to store. */
export class GraphWriter implements NodeWriter {
  readonly operators: FileOperator[] = [];
  /** By name, in the order of use. */
  readonly tensors = new Map<string, Weight>();
  readonly #names = new UniqueNames();
  readonly #nameOf = new Map<Value, string>();

  constructor(readonly graph: Graph) {
    for (const input of graph.inputs) this.#name(input);
  }

  begin(): void {}

  refusal(node: Node): string | undefined {
    const constants = [...node.dependencies()].filter(({ constant }) => constant);
    return [...node.outputs, ...constants].map(unheld).find((reason) => reason !== undefined);
  }

  lose(node: Node): void {
    for (const value of node.outputs) this.#name(value);
  }

  written(value: Value): string | undefined {
    return this.#nameOf.get(value);
  }

  #name(value: Value): string {
    const name = this.#names.unique(value.name);
    this.#nameOf.set(value, name);
    return name;
  }

  /** The name of a value; a constant becomes a tensor to store when it is first used. */
  ref(value: Value): string {
    const known = this.#nameOf.get(value);
    if (known !== undefined) return known;
    const name = this.#name(value);
    this.tensors.set(name, value.constant!);
    return name;
  }

  /** Writes a node as one operator. */
  write(type: string, node: Node, attributes: Attributes): void {
    this.operators.push({
      type,
      name: node.name,
      inputs: node.inputs.map((value) => this.ref(value!)),
      outputs: node.outputs.map((value) => this.#name(value)),
      attributes: new Map(Object.entries(attributes)),
    });
  }
}
