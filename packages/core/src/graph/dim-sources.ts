import { symbolName } from '../tensor/dim.js';
import type { Graph } from './graph.js';
import type { Value } from './value.js';

/** Where the size of a named dimension can be read when the model runs: one axis of an input. */
export interface DimSource {
  readonly input: Value;
  readonly axis: number;
}

/** For each named dimension the first input that has it, alone, as one of its dimensions. */
export function dimSources(graph: Graph): ReadonlyMap<string, DimSource> {
  const sources = new Map<string, DimSource>();
  for (const input of graph.inputs) {
    input.shape?.forEach((dim, axis) => {
      const name = symbolName(dim);
      if (name !== undefined && !sources.has(name)) sources.set(name, { input, axis });
    });
  }
  return sources;
}
