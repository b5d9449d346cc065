import {
  isFloat,
  isStatic,
  mulDim,
  ops,
  productOf,
  toNumbers,
  type Dim,
  type Node,
  type Shape,
  type Value,
} from '@drover/core';
import { gap, isDataDependent, type Gap, type WriteRules } from '@drover/core/format';
import { binary, cast, checkCount, countTo, reshaped, scalarOf } from '../vocabulary/build.js';
import { heldShape, heldType, type GraphWriter, type Operand } from '../vocabulary/graph-writer.js';
import { broadcast } from '../vocabulary/reshape.js';
import { noSizes, unknownRank, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

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

/** Ones on a diagonal. */
const readEye: ToCore = (node) => {
  const rows = node.int('N');
  const columns = node.int('M') || rows;
  const ones = node.graph.literal(node.dtype('dtype'), [1, 1], [1]);
  const full = node.graph.add(
    ops.Expand,
    { x: ones },
    { shape: [rows, columns] },
    node.step('ones'),
  ).y;
  const lower = node.graph.add(
    ops.Trilu,
    { x: full },
    { upper: false, k: node.int('k') },
    node.step('lower'),
  ).y;
  return node.graph.add(ops.Trilu, { x: lower }, { upper: true, k: node.int('k') }, node.options).y;
};

function writeExpand(node: Node<typeof ops.Expand>, writer: GraphWriter): Gap | void {
  const [x, y] = [node.operands.x, node.outputs[0]!];
  if (!x.shape || !y.shape) return unknownRank;
  const ref = broadcast(writer, x, x.shape, y.shape);
  if (!ref) return noSizes(y.shape);
  writer.bind(y, ref);
}

/** 0, 1, … along a named dimension; what is known is folded before. */
function writeRange(node: Node<typeof ops.Range>, writer: GraphWriter): Gap | void {
  const { start, delta } = node.operands;
  const [first, step] = [start, delta].map(
    (value) => value.constant && toNumbers(value.constant.peek()!)[0],
  );
  const size = node.outputs[0]!.shape?.[0];
  const place = size === undefined ? undefined : writer.sizeSource(size);
  if (first === undefined || step === undefined || !place)
    return gap('its length depends on data, and MXNet allocates results before it runs');
  const counted = writer.step('_contrib_arange_like', [place.value], {
    start: first,
    step,
    axis: place.axis,
  });
  const held = heldType(place.value.dtype);
  if (held === start.dtype) return writer.bind(node.outputs[0]!, counted);
  writer.node('Cast', [counted], { dtype: start.dtype }, node.outputs);
}

/** Lower or upper triangles keep their elements; the rest becomes 0, also where it is infinite. */
function writeTrilu(node: Node<typeof ops.Trilu>, writer: GraphWriter): void {
  const { x } = node.operands;
  const [rows, columns] = x.shape?.slice(-2) ?? [];
  const { upper, k } = node.attrs;
  if (!upper && isFloat(x.dtype)) return writer.node('_npi_tril', [x], { k }, node.outputs);
  const zero = writer.literal(heldType(x.dtype), [1], [0]);
  if (typeof rows !== 'number' || typeof columns !== 'number') {
    const ones = writer.cast(writer.step('ones_like', [x]), heldType(x.dtype), 'float32');
    const isBelow = writer.step('_npi_tril', [ones], { k: upper ? k - 1 : k });
    return writer.node(
      '_npi_where',
      upper ? [isBelow, zero, x] : [isBelow, x, zero],
      {},
      node.outputs,
    );
  }
  const mask = Array.from({ length: rows * columns }, (_, i) => {
    const offset = (i % columns) - Math.floor(i / columns);
    return Number(upper ? offset >= k : offset <= k);
  });
  writer.node(
    '_npi_where',
    [writer.literal('float32', [rows, columns], mask), x, zero],
    {},
    node.outputs,
  );
}

const toCore = {
  _arange: readArange,
  _contrib_arange_like: readArangeLike,
  _eye: readEye,
  _full: readFilled(),
  _npi_broadcast_to: readBroadcastTo,
  _npi_ones: readFilled(1),
  _npi_tril: (node) =>
    node.graph.add(
      ops.Trilu,
      { x: node.input(0) },
      { upper: false, k: node.int('k') },
      node.options,
    ).y,
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

const fromCore = {
  Expand: writeExpand,
  Range: writeRange,
  Tile: (node, writer) => {
    const { repeats } = node.attrs;
    if (!repeats || !isStatic(repeats))
      return gap('how often it repeats is not known before the model runs');
    // MXNet repeats along two axes at once, not along more.
    const whole = heldShape(repeats) as readonly number[];
    const repeated = whole.flatMap((count, axis) => (count === 1 ? [] : [axis]));
    const over = (from: number) =>
      whole.map((count, axis) => (repeated.slice(from, from + 2).includes(axis) ? count : 1));
    let x: Operand = node.operands.x;
    let first = 0;
    for (; repeated.length - first > 2; first += 2)
      x = writer.step('tile', [x], { reps: over(first) });
    return writer.node('tile', [x], { reps: over(first) }, node.outputs);
  },
  Trilu: writeTrilu,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that repeat elements or fill shapes, both directions. */
export const filling = { toCore, fromCore };
