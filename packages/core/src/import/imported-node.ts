import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { DroverError } from '../diagnostics/diagnostic.js';
import type { Graph, NodeOptions } from '../graph/graph.js';
import { nameOf, type NodeOrigin } from '../graph/origin.js';
import type { Value } from '../graph/value.js';

/**
 * A node of the source while it is turned into core. A format's own class adds how its operands and
 * attributes are read; it notes each attribute that a rule reads, so that those that no rule reads
 * are told.
 */
export abstract class ImportedNode {
  readonly #read = new Set<string>();

  constructor(
    /** The graph that takes its place's nodes. */
    readonly graph: Graph,
    /** What stands in its place comes from here. */
    readonly source: NodeOrigin,
  ) {}

  /** The name of the node, after those of the calls that it stands in. */
  get name(): string {
    return nameOf(this.source);
  }

  /** The source's operator, as its format spells it. */
  get type(): string {
    return this.source.op;
  }

  /** Name and origin for the core node that takes this one's place. */
  get options(): NodeOptions {
    return { name: this.name, origin: this.source };
  }

  /** Name and origin for one of several core nodes that together take this one's place. */
  step(suffix: string): NodeOptions {
    return { name: `${this.name}/${suffix}`, origin: this.source };
  }

  /** Where findings about the node come from. */
  get origin(): { file: string; node: string; op: string } {
    return { file: this.source.file, node: this.name, op: this.type };
  }

  /** The operands that are there, in order. */
  abstract given(): readonly Value[];

  /** Names of the attributes that the node sets and that could have a meaning for inference. */
  protected abstract stated(): Iterable<string>;

  /** Takes note that a rule reads an attribute. */
  protected reads(name: string): void {
    this.#read.add(name);
  }

  /**
   * Marks attributes that have no meaning for inference or that the rule accounts for otherwise.
   */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** Names of attributes that the node sets and no rule has read. */
  get unread(): readonly string[] {
    return [...this.stated()].filter((name) => !this.#read.has(name));
  }

  /**
   * The reason why this node has no canonical form: thrown by a rule, it leaves the node foreign.
   */
  unsupported(reason: string): DroverError {
    return coreDiagnostics.error('foreign-op', {
      message: `${this.type} ${this.name}: ${reason}.`,
      reason,
      origin: this.origin,
    });
  }
}
