import {
  isDataDependent,
  mulDim,
  ops,
  productOf,
  type Dim,
  type Shape,
  type Value,
} from '@drover/core';
import { binary, cast, checkCount, scalarOf } from '../vocabulary/build.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { reshaped } from './movement.js';

/** Copies along dimensions of 1 until the shape is reached. */
function expanded(node: SourceNode, x: Value, shape: Shape): Value {
  if (shape.some(isDataDependent)) throw node.unsupported('its shape depends on data');
  return node.graph.add(ops.Expand, { x }, { shape }, node.options).y;
}

/** Legacy broadcasting: 0 keeps a dimension. */
const readBroadcastTo: ToCore = (node) => {
  const shape = node.shape(0);
  return expanded(
    node,
    node.input(0),
    (node.ints('shape') ?? []).map((dim, i) => (dim === 0 ? shape[i]! : dim)),
  );
};

const readBroadcastAxis: ToCore = (node) => {
  const shape = [...node.shape(0)];
  const sizes = node.ints('size') ?? [];
  (node.ints('axis') ?? []).forEach(
    (axis, i) => (shape[node.axisOf(axis, shape.length)] = sizes[i] ?? 1),
  );
  return expanded(node, node.input(0), shape);
};

const readBroadcastLike: ToCore = (node) => {
  const [shape, like] = [node.shape(0), node.shape(1)];
  const [left, right] = [node.ints('lhs_axes'), node.ints('rhs_axes')];
  if (!left || !right) return expanded(node, node.input(0), like);
  const target = shape.map((): Dim => 1);
  left.forEach(
    (axis, i) =>
      (target[node.axisOf(axis, shape.length)] = like[node.axisOf(right[i]!, like.length)]!),
  );
  return expanded(node, node.input(0), target);
};

const readTile: ToCore = (node) => {
  const shape = node.shape(0);
  const reps = node.ints('reps') ?? [];
  const rank = Math.max(shape.length, reps.length);
  const x =
    shape.length < rank
      ? reshaped(
          node,
          node.input(0),
          [...new Array<Dim>(rank - shape.length).fill(1), ...shape],
          'rank',
        )
      : node.input(0);
  return node.graph.add(
    ops.Tile,
    { x },
    { repeats: [...new Array<number>(rank - reps.length).fill(1), ...reps] },
    node.options,
  ).y;
};

/** Each element several times in a row. */
const readRepeat: ToCore = (node) => {
  const repeats = node.int('repeats');
  const stated = node.maybe('axis');
  const source = node.shape(0);
  const x =
    stated === undefined
      ? reshaped(node, node.input(0), [productOf(source)], 'flat')
      : node.input(0);
  const shape = x.shape!;
  const axis = stated === undefined ? 0 : node.axisOf(stated, shape.length);
  const column = node.graph.add(ops.Unsqueeze, { x }, { axes: [axis + 1] }, node.step('column')).y;
  const copied = node.graph.add(
    ops.Expand,
    { x: column },
    { shape: [...shape, 1].map((_, i) => (i === axis + 1 ? repeats : 1)) },
    node.step('copies'),
  ).y;
  return reshaped(
    node,
    copied,
    shape.map((dim, i) => (i === axis ? mulDim(dim, repeats) : dim)),
  );
};

/** 0, 1, … as int64 in one dimension. */
export function countTo(node: SourceNode, size: Dim, step: string): Value {
  if (isDataDependent(size)) throw node.unsupported('how far it counts depends on data');
  const whole = node.graph.add(ops.Dims, {}, { values: [size] }, node.step(`${step}/size`)).y;
  const limit = node.graph.add(
    ops.Squeeze,
    { x: whole },
    { axes: [0] },
    node.step(`${step}/limit`),
  ).y;
  const int = (value: number) => node.graph.literal('int64', [], [value]);
  return node.graph.add(ops.Range, { start: int(0), limit, delta: int(1) }, {}, node.step(step)).y;
}

const readArangeLike: ToCore = (node) => {
  const source = node.input(0);
  const shape = node.shape(0);
  const axis = node.maybe('axis');
  const [start, by] = [node.float('start'), node.float('step')];
  if (node.int('repeat') !== 1) throw node.unsupported('it repeats numbers');
  const size = axis === undefined ? productOf(shape) : shape[node.axisOf(axis, shape.length)]!;
  const count = cast(node, countTo(node, size, 'count'), source.dtype, 'number');
  const scaled =
    by === 1 ? count : binary(node, ops.Mul, count, scalarOf(node, source.dtype, by), 'scale');
  const moved =
    start === 0
      ? scaled
      : binary(node, ops.Add, scaled, scalarOf(node, source.dtype, start), 'start');
  return axis === undefined ? reshaped(node, moved, shape) : moved;
};

const readArange: ToCore = (node) => {
  const [first, end, by, repeat] = [
    node.float('start'),
    node.maybe('stop'),
    node.float('step'),
    node.int('repeat'),
  ];
  // One bound alone is the end.
  const [start, stop] = end === undefined ? [0, first] : [first, end];
  if (node.bool('infer_range')) throw node.unsupported('its range follows from other nodes');
  const count = Math.max(0, Math.ceil((stop - start) / by));
  checkCount(node, count * repeat);
  const values = Array.from(
    { length: count * repeat },
    (_, i) => start + Math.floor(i / repeat) * by,
  );
  return node.graph.literal(node.dtype('dtype'), [values.length], values, node.name);
};

/** A constant everywhere; 0 in a legacy shape is a size that the nodes around it tell. */
const readFilled =
  (amount?: number): ToCore =>
  (node) => {
    const value = amount ?? node.float('value');
    const stated = node.ints('shape') ?? [];
    const hinted = node.hint();
    const shape = stated.map((dim, i): Dim => (dim > 0 ? dim : (hinted?.[i] ?? 0)));
    if (shape.some((dim) => dim === 0)) throw node.unsupported('its shape is not known');
    return expanded(node, node.graph.literal(node.dtype('dtype'), [], [value]), shape);
  };

const readFilledLike =
  (amount: number): ToCore =>
  (node) =>
    expanded(node, node.graph.literal(node.input(0).dtype, [], [amount]), node.shape(0));

const toCore = {
  _arange: readArange,
  _contrib_arange_like: readArangeLike,
  _full: readFilled(),
  _npi_broadcast_to: readBroadcastTo,
  _npi_ones: readFilled(1),
  _npi_zeros: readFilled(0),
  _ones: readFilled(1),
  _zeros: readFilled(0),
  broadcast_axis: readBroadcastAxis,
  broadcast_like: readBroadcastLike,
  broadcast_to: readBroadcastTo,
  ones_like: readFilledLike(1),
  repeat: readRepeat,
  tile: readTile,
  zeros_like: readFilledLike(0),
} satisfies ReadRules;

/** Reading of operators that repeat elements or fill shapes. */
export const filling = { toCore };
