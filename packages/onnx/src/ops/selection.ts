import { ops, type Value } from '@drover/core';
import { dtypeOf } from '../codec/data-type.js';
import { axisOf } from '../vocabulary/axis.js';
import { Compose, shapeOf } from '../vocabulary/compose.js';
import { always, type ReadRules, type ToCore } from '../vocabulary/rule.js';

/** Indices where a vector is true, as a vector. */
function trueAt(compose: Compose, condition: Value): Value {
  const found = compose.unary(ops.NonZero, condition, 'nonzero');
  return compose.squeeze(found, [0], 'indices');
}

const readCompress: ToCore = (node) => {
  const compose = new Compose(node);
  const [x, condition] = [node.input(0), node.input(1)];
  const indices = trueAt(compose, condition);
  if (!node.has('axis')) return compose.gather(compose.flat(x, 'flat'), indices, 0);
  return compose.gather(x, indices, axisOf(node, node.int('axis'), x.rank));
};

/**
 * Equal elements are neighbours once sorted; of equal ones the sort puts the first occurrence
 * first.
 */
const readUnique: ToCore = (node) => {
  if (node.has('axis')) throw node.unsupported('it compares slices along an axis');
  const x = node.input(0);
  if (shapeOf(node, x).includes(0)) throw node.unsupported('its operand is empty');
  if (x.dtype === 'string' || x.dtype === 'bool') throw node.unsupported(`it sorts ${x.dtype}`);
  const compose = new Compose(node);
  const { graph } = node;
  const all = compose.flat(x, 'flat');
  const sorted = graph.add(
    ops.TopK,
    { x: all },
    { axis: 0, largest: false, sorted: true, k: [all.shape![0]!] },
    node.step('sort'),
  );
  const last = Number.MAX_SAFE_INTEGER;
  const isSame = compose.binary(
    ops.Equal,
    compose.slice(sorted.values, 0, 1, last, 1, 'next'),
    compose.slice(sorted.values, 0, 0, -1, 1, 'previous'),
    'same',
  );
  const isFirst = compose.concat(
    [graph.literal('bool', [1], [true]), compose.unary(ops.Not, isSame, 'different')],
    0,
    'first',
  );
  const starts = trueAt(compose, isFirst);
  const group = graph.add(
    ops.CumSum,
    { x: compose.cast(isFirst, 'int64', 'ones') },
    { axis: 0, exclusive: false, reverse: false },
    node.step('groups'),
  ).y;
  const groups = compose.binary(ops.Sub, group, compose.scalar('int64', 1), 'group');
  const scatter = (indices: Value, updates: Value, step: string) =>
    graph.add(
      ops.ScatterElements,
      { x: indices, indices, updates },
      { axis: 0, reduction: 'none' },
      node.step(step),
    ).y;
  const ends = compose.concat(
    [
      compose.slice(starts, 0, 1, last, 1, 'others'),
      compose.unsqueeze(compose.size(all, 0, 'total'), [0], 'end'),
    ],
    0,
    'ends',
  );
  const results = {
    y: compose.gather(sorted.values, starts, 0, 'values'),
    indices: compose.gather(sorted.indices, starts, 0, 'firsts'),
    inverse: scatter(sorted.indices, groups, 'inverse'),
    counts: compose.binary(ops.Sub, ends, starts, 'counts'),
  };
  if (node.int('sorted', 1) === 1)
    return [results.y, results.indices, results.inverse, results.counts];
  const count = compose.size(results.indices, 0, 'count');
  const k = compose.unsqueeze(count, [0], 'k');
  const order = graph.add(
    ops.TopK,
    { x: results.indices, k },
    { axis: 0, largest: false, sorted: true, k: null },
    node.step('order'),
  ).indices;
  const reordered = (value: Value, step: string) => compose.gather(value, order, 0, step);
  const ranks = scatter(order, compose.count(count, 'positions'), 'ranks');
  return [
    reordered(results.y, 'ordered_values'),
    reordered(results.indices, 'ordered_firsts'),
    compose.gather(ranks, results.inverse, 0, 'ordered_inverse'),
    reordered(results.counts, 'ordered_counts'),
  ];
};

const readEyeLike: ToCore = (node) => {
  const x = node.input(0);
  const to = node.has('dtype') ? dtypeOf(node.int('dtype')) : x.dtype;
  if (!to) throw node.unsupported('its result type is unknown');
  const compose = new Compose(node);
  const [rows, columns] = [0, 1].map((axis) =>
    compose.count(compose.size(x, axis, `size${axis}`), `count${axis}`),
  ) as [Value, Value];
  const k = node.int('k', 0);
  const shifted =
    k === 0 ? rows : compose.binary(ops.Add, rows, compose.scalar('int64', k), 'shift');
  return compose.cast(
    compose.binary(ops.Equal, compose.unsqueeze(shifted, [1], 'column'), columns, 'equal'),
    to,
  );
};

/** Operators that pick elements by what they are, or by where they stand. */
export const selection = {
  toCore: {
    Compress: always(readCompress),
    EyeLike: always(readEyeLike),
    Unique: always(readUnique),
  } satisfies ReadRules,
};
