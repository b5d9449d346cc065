import { knownShape, type Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import type { Moment } from '../numeric/standardise.js';
import { add } from '../ops/add.js';
import { cast } from '../ops/cast.js';
import { div } from '../ops/div.js';
import { mul } from '../ops/mul.js';
import { reduceMean } from '../ops/reduce-mean.js';
import { sqrt } from '../ops/sqrt.js';
import { sub } from '../ops/sub.js';
import { unsqueeze } from '../ops/unsqueeze.js';
import type { DType } from '../tensor/dtype.js';
import { scalar } from './scalar.js';

/**
 * The type in which a decomposed normalisation computes: float32 for the 16-bit types, whose
 * squares overflow and whose epsilons vanish.
 */
export function computationType(dtype: DType): DType {
  return dtype === 'float64' ? dtype : 'float32';
}

/** A value in another element type. */
export function inType(graph: Graph, x: Value, to: DType): Value {
  return x.dtype === to ? x : graph.add(cast, { x }, { to }).y;
}

/**
 * Nodes for elements less their mean, if centred, divided by the root of the moment and epsilon,
 * along `axes`. `x` is of a computation type.
 */
export function buildStandardised(
  graph: Graph,
  x: Value,
  axes: readonly number[],
  epsilon: number,
  moment: Moment,
): Value {
  const mean = (of: Value) => graph.add(reduceMean, { x: of }, { axes, keepdims: true }).y;
  const centred = moment === 'variance' ? graph.add(sub, { a: x, b: mean(x) }, {}).y : x;
  const square = mean(graph.add(mul, { a: centred, b: centred }, {}).y);
  const deviation = graph.add(
    sqrt,
    { x: graph.add(add, { a: square, b: scalar(graph, x.dtype, epsilon) }, {}).y },
    {},
  ).y;
  return graph.add(div, { a: centred, b: deviation }, {}).y;
}

/**
 * Nodes that multiply by `scale` and add `bias`, where they are given, and convert the result to
 * `to`.
 */
export function buildScaled(
  graph: Graph,
  x: Value,
  scale: Value | undefined,
  bias: Value | undefined,
  to: DType,
): Value {
  const scaled = scale ? graph.add(mul, { a: x, b: inType(graph, scale, x.dtype) }, {}).y : x;
  const shifted = bias
    ? graph.add(add, { a: scaled, b: inType(graph, bias, x.dtype) }, {}).y
    : scaled;
  return inType(graph, shifted, to);
}

/** A vector over the channels as a value that broadcasts along the channel axis of `x`. */
export function buildAlongAxis(graph: Graph, vector: Value, axis: number, x: Value): Value {
  const after = knownShape(x).length - 1 - axis;
  return after === 0
    ? vector
    : graph.add(unsqueeze, { x: vector }, { axes: Array.from({ length: after }, (_, i) => i + 1) })
        .y;
}
