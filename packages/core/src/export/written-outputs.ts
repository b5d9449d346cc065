import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';

/** An output of a graph to be written. */
export interface WrittenOutput {
  readonly name: string;
  readonly value: Value;
  /**
   * Whether the value has another name already: it is an input, a constant, or an output before
   * this one. Then a node of its own has to make it again.
   */
  readonly isAlias: boolean;
}

/** The outputs of a graph, in order, with those that only name a value again. */
export function writtenOutputs({ inputs, outputs }: Graph): readonly WrittenOutput[] {
  const named = new Set<Value>(inputs);
  return outputs.map(({ name, value }) => {
    const isAlias = named.has(value) || value.constant !== undefined;
    named.add(value);
    return { name, value, isAlias };
  });
}
