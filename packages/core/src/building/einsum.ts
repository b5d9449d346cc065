import { isDataDependent, type Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { equal } from '../ops/equal.js';
import { gather } from '../ops/gather.js';
import { matMul } from '../ops/mat-mul.js';
import { mul } from '../ops/mul.js';
import { range } from '../ops/range.js';
import { reduceSum } from '../ops/reduce-sum.js';
import { reshape } from '../ops/reshape.js';
import { shape as shapeOp } from '../ops/shape.js';
import { squeeze } from '../ops/squeeze.js';
import { transpose } from '../ops/transpose.js';
import { unsqueeze } from '../ops/unsqueeze.js';
import { where } from '../ops/where.js';
import { productOf, type Dim } from '../tensor/dim.js';
import { contraction, keptAfter, type Subscripts } from '../typing/subscripts.js';
import { scalar } from './scalar.js';

/** A value whose dimensions have names. */
interface Labelled {
  readonly value: Value;
  readonly labels: readonly string[];
}

/**
 * Nodes of an Einstein sum: transposes, broadcasting products, matrix products and sums. The ranks
 * of the values must be known.
 */
export function buildEinsum(
  graph: Graph,
  values: readonly Value[],
  subscripts: Subscripts,
  sizes: ReadonlyMap<string, Dim>,
): Value {
  const operands = values.map((value, i) => {
    const others = new Set([
      ...subscripts.result,
      ...subscripts.operands.filter((_, k) => k !== i).flat(),
    ]);
    const distinct = withoutOnes(
      graph,
      diagonals(graph, { value, labels: subscripts.operands[i]! }),
      sizes,
    );
    return summedTo(
      graph,
      distinct,
      distinct.labels.filter((label) => others.has(label)),
    );
  });
  const whole = operands.reduce((a, b, i) =>
    multiply(graph, a, b, keptAfter(i, subscripts), sizes),
  );
  const result = summedTo(graph, whole, subscripts.result);
  return arranged(graph, result, subscripts.result);
}

/**
 * The value with its dimensions in this order; a label that it does not have becomes a dimension of
 * 1.
 */
function arranged(graph: Graph, { value, labels }: Labelled, order: readonly string[]): Value {
  const present = order.filter((label) => labels.includes(label));
  const perm = present.map((label) => labels.indexOf(label));
  const moved = perm.every((p, i) => p === i)
    ? value
    : graph.add(transpose, { x: value }, { perm }).y;
  const absent = order.flatMap((label, axis) => (labels.includes(label) ? [] : [axis]));
  return absent.length === 0 ? moved : graph.add(unsqueeze, { x: moved }, { axes: absent }).y;
}

/** The sum over the labels that are not asked for. */
function summedTo(graph: Graph, { value, labels }: Labelled, wanted: readonly string[]): Labelled {
  const axes = labels.flatMap((label, axis) => (wanted.includes(label) ? [] : [axis]));
  if (axes.length === 0) return { value, labels };
  return {
    value: graph.add(reduceSum, { x: value }, { axes, keepdims: false }).y,
    labels: labels.filter((label) => wanted.includes(label)),
  };
}

/** The value without dimensions of 1 where another operand has more under the same label. */
function withoutOnes(
  graph: Graph,
  { value, labels }: Labelled,
  sizes: ReadonlyMap<string, Dim>,
): Labelled {
  const axes = labels.flatMap((label, axis) =>
    value.shape![axis] === 1 && sizes.get(label) !== 1 ? [axis] : [],
  );
  if (axes.length === 0) return { value, labels };
  return {
    value: graph.add(squeeze, { x: value }, { axes }).y,
    labels: labels.filter((_, axis) => !axes.includes(axis)),
  };
}

/**
 * The value with the diagonal in the place of the dimensions that have one label: what lies beside
 * it is taken as zero and summed away.
 */
function diagonals(graph: Graph, { value, labels }: Labelled): Labelled {
  const axis = labels.findIndex((label, i) => labels.indexOf(label) !== i);
  if (axis < 0) return { value, labels };
  const first = labels.indexOf(labels[axis]!);
  const sizes = graph.add(shapeOp, { x: value }, {}).y;
  const limit = graph.add(
    gather,
    { x: sizes, indices: graph.literal('int64', [], [first]) },
    { axis: 0 },
  ).y;
  const places = graph.add(
    range,
    { start: scalar(graph, 'int64', 0), limit, delta: scalar(graph, 'int64', 1) },
    {},
  ).y;
  const along = (at: number) => {
    const axes = labels.flatMap((_, i) => (i === at ? [] : [i]));
    return graph.add(unsqueeze, { x: places }, { axes }).y;
  };
  const condition = graph.add(equal, { a: along(first), b: along(axis) }, {}).y;
  const masked = graph.add(where, { condition, x: value, y: scalar(graph, value.dtype, 0) }, {}).y;
  const sum = graph.add(reduceSum, { x: masked }, { axes: [axis], keepdims: false }).y;
  return diagonals(graph, { value: sum, labels: labels.filter((_, i) => i !== axis) });
}

/** Nodes of the product of two operands, summed over what they have in common and nothing needs. */
function multiply(
  graph: Graph,
  a: Labelled,
  b: Labelled,
  kept: ReadonlySet<string>,
  sizes: ReadonlyMap<string, Dim>,
): Labelled {
  const { batch, summed, left, right } = contraction(a.labels, b.labels, kept);
  const labels = [...batch, ...left, ...right];
  const dims = (chosen: readonly string[]) => chosen.map((label) => sizes.get(label)!);
  const isMatrix =
    matMul.inputs.a.dtypes.includes(a.value.dtype) &&
    !dims([...labels, ...summed]).some(isDataDependent);
  if (summed.length === 0 || !isMatrix) {
    const order = [...labels, ...summed];
    const product = graph.add(
      mul,
      { a: arranged(graph, a, order), b: arranged(graph, b, order) },
      {},
    ).y;
    return summedTo(graph, { value: product, labels: order }, labels);
  }
  // Several dimensions of one kind become one for the product, and no dimension becomes a dimension
  // of 1.
  const merged = (x: Labelled, ...kinds: readonly (readonly string[])[]) => {
    const value = arranged(graph, x, [
      ...batch,
      ...kinds.flatMap((kind) => (kind.length === 0 ? ['none'] : kind)),
    ]);
    if (kinds.every((kind) => kind.length < 2)) return value;
    return graph.add(
      reshape,
      { x: value },
      { shape: [...dims(batch), ...kinds.map((kind) => productOf(dims(kind)))] },
    ).y;
  };
  const product = graph.add(
    matMul,
    { a: merged(a, left, summed), b: merged(b, summed, right) },
    {},
  ).y;
  if (left.length === 1 && right.length === 1) return { value: product, labels };
  if (left.length < 2 && right.length < 2) {
    const axes = [left, right].flatMap((kind, i) => (kind.length === 0 ? [batch.length + i] : []));
    return { value: graph.add(squeeze, { x: product }, { axes }).y, labels };
  }
  return { value: graph.add(reshape, { x: product }, { shape: dims(labels) }).y, labels };
}
