import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import type { DType } from '../tensor/dtype.js';

/** A scalar constant of a type, for decompositions. */
export function scalar(graph: Graph, dtype: DType, value: number): Value {
  return graph.literal(dtype, [], [value]);
}
