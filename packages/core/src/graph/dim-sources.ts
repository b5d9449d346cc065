import { foldDim, type DimAlgebra } from '../tensor/dim.js';
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
      if (typeof dim === 'number') return;
      const name = foldDim<string | undefined>(dim, nameOnly);
      if (name !== undefined && !sources.has(name)) sources.set(name, { input, axis });
    });
  }
  return sources;
}

/** The name of a dimension that is nothing but a name. */
const nameOnly: DimAlgebra<string | undefined> = {
  constant: () => undefined,
  symbol: (name) => name,
  add: () => undefined,
  mul: () => undefined,
  floordiv: () => undefined,
  min: () => undefined,
  max: () => undefined,
};
