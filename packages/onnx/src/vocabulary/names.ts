import { ops, type Graph } from '@drover/core';
import { UniqueNames } from '@drover/core/format';

/** Names of a model: values and nodes have a space each. */
export class Names {
  // An empty name stands for no value, and runtimes end a name at NUL.
  readonly #values = new UniqueNames((wanted) => wanted.replaceAll('\0', '_') || 'value');
  readonly #nodes = new UniqueNames();

  /** `kept`: names of the source's own values, which none that is made up may take. */
  constructor(private readonly kept: ReadonlySet<string>) {}

  /** A name for a value of the source: the wanted one, unless it is taken or none of ONNX. */
  value(wanted: string): string {
    return this.#values.unique(wanted);
  }

  /** A name for a value that the writer makes up. */
  made(wanted: string): string {
    return this.#values.unique(wanted, this.kept);
  }

  node(wanted: string): string {
    return this.#nodes.unique(wanted);
  }
}

/**
 * Names of every value that the nodes of a graph and of their bodies make, but for dimensions,
 * which the writer names by what they are.
 */
export function valueNames(graph: Graph, names = new Set<string>()): Set<string> {
  for (const node of graph.nodes) {
    const { outputs, regions } = node;
    if (!node.is(ops.Dims)) for (const { name } of outputs) names.add(name);
    for (const region of Object.values(regions)) valueNames(region.graph, names);
  }
  return names;
}
