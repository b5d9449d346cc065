import { knownShape, type Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { add } from '../ops/add.js';
import { gather } from '../ops/gather.js';
import { mul } from '../ops/mul.js';
import { reshape } from '../ops/reshape.js';
import { shape } from '../ops/shape.js';
import { sub } from '../ops/sub.js';
import { unsqueeze } from '../ops/unsqueeze.js';
import { scalar } from './scalar.js';

/**
 * Positions on an axis of an image, [regions, positions]: the elements (int64) that each lies
 * between, and how far it lies from the first to the second.
 */
export interface SampledAxis {
  readonly low: Value;
  readonly high: Value;
  readonly fraction: Value;
}

/** The size of one dimension of a value as an int64 scalar. */
export function buildSize(graph: Graph, x: Value, axis: number): Value {
  const sizes = graph.add(shape, { x }, {}).y;
  return graph.add(gather, { x: sizes, indices: scalar(graph, 'int64', axis) }, { axis: 0 }).y;
}

/**
 * Nodes for the values of images [images, rows, columns, channels] at grids of positions, each grid
 * in the image that `images` [regions] says: [regions, rows, columns, channels], linear between
 * neighbours.
 */
export function buildRegionSamples(
  graph: Graph,
  x: Value,
  images: Value,
  rows: SampledAxis,
  columns: SampledAxis,
): Value {
  const plus = (a: Value, b: Value) => graph.add(add, { a, b }, {}).y;
  const times = (a: Value, b: Value) => graph.add(mul, { a, b }, {}).y;
  const wide = (value: Value, axes: readonly number[]) =>
    graph.add(unsqueeze, { x: value }, { axes }).y;
  const width = buildSize(graph, x, 2);
  const first = wide(times(images, times(buildSize(graph, x, 1), width)), [1, 2]);
  const flat = graph.add(reshape, { x }, { shape: [-1, knownShape(x)[3]!] }).y;
  const at = (row: Value, column: Value) => {
    const places = plus(plus(first, wide(times(row, width), [2])), wide(column, [1]));
    return graph.add(gather, { x: flat, indices: places }, { axis: 0 }).y;
  };
  const between = (a: Value, b: Value, fraction: Value) =>
    plus(a, times(graph.add(sub, { a: b, b: a }, {}).y, fraction));
  const along = wide(columns.fraction, [1, 3]);
  const line = (row: Value) => between(at(row, columns.low), at(row, columns.high), along);
  return between(line(rows.low), line(rows.high), wide(rows.fraction, [2, 3]));
}
