import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Graph } from '../graph/graph.js';
import { tally } from './tally.js';
import { storeOf } from './store-of.js';
import type { TensorStore } from './tensor-store.js';

/** What a model may have beside its graphs. */
export interface ModelFields {
  /** Name of the graph that is meant when nobody names one. Defaults to the first. */
  readonly main?: string;
  /** Makes its store when it is first asked for. Defaults to the constants of the graphs. */
  readonly store?: () => TensorStore;
  /** Format it was read from. Defaults to `core`: the model was built. */
  readonly format?: string;
  /** Versions by that format's own names (`{ ir: '8', opset: '17' }`). */
  readonly versions?: Readonly<Record<string, string>>;
  /** Program that wrote it, as far as it says. */
  readonly producer?: string;
  /**
   * How many nodes of each operator the file has, functions and bodies counted once, by the names
   * that the format has for them. Defaults to the operators of the graphs.
   */
  readonly operators?: ReadonlyMap<string, number>;
  /** File it was read from, as the user named it. */
  readonly file?: string;
  /** The source's own metadata: name to text. */
  readonly metadata?: ReadonlyMap<string, string>;
}

/**
 * A model: named graphs, one of them the main one, over one store of tensors. A file with several
 * signatures or subgraphs has a graph for each; `new Model(graph)` is enough for one that a program
 * built.
 */
export class Model {
  /** The graphs by name, in the order of the file. */
  readonly graphs: ReadonlyMap<string, Graph>;
  /** Name of the graph that is meant when nobody names one. */
  readonly main: string;
  readonly format: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly producer: string;
  readonly operators: ReadonlyMap<string, number>;
  readonly file: string;
  readonly metadata: ReadonlyMap<string, string>;

  readonly #makeStore: () => TensorStore;
  #store: TensorStore | undefined;

  /** Throws `core/no-entry` when no graph has the name of the main one. */
  constructor(graphs: Graph | ReadonlyMap<string, Graph>, fields: ModelFields = {}) {
    this.graphs =
      graphs instanceof Map ? graphs : new Map([[(graphs as Graph).name, graphs as Graph]]);
    this.file = fields.file ?? '';
    this.main = this.#named(fields.main ?? [...this.graphs.keys()][0] ?? '');
    this.#makeStore = fields.store ?? (() => storeOf(this.graphs.values()));
    this.format = fields.format ?? 'core';
    this.versions = fields.versions ?? {};
    this.producer = fields.producer ?? '';
    this.operators =
      fields.operators ??
      tally([...this.graphs.values()].flatMap(({ nodes }) => [...nodes].map(({ op }) => op.name)));
    this.metadata = fields.metadata ?? new Map();
  }

  /** The main graph. */
  get graph(): Graph {
    return this.graphs.get(this.main)!;
  }

  /** Its tensors, in the order of the file. */
  get store(): TensorStore {
    return (this.#store ??= this.#makeStore());
  }

  /** A model of other graphs, the main one among them, with all else that this one says. */
  ofGraphs(graphs: ReadonlyMap<string, Graph>): Model {
    const { main, format, versions, producer, file, metadata } = this;
    return new Model(graphs, { main, format, versions, producer, file, metadata });
  }

  /** The same model with another graph as the main one. Throws `core/no-entry`. */
  at(entry: string): Model {
    return new Model(this.graphs, { ...this, store: () => this.store, main: this.#named(entry) });
  }

  #named(entry: string): string {
    if (this.graphs.has(entry)) return entry;
    const names = [...this.graphs.keys()].map((name) => JSON.stringify(name)).join(', ');
    throw coreDiagnostics.error('no-entry', {
      message: `The model has no entry ${JSON.stringify(entry)}; it has ${names || 'none'}.`,
      origin: { file: this.file },
    });
  }
}
