import { isStatic, ops, toNumbers, type Node, type Value } from '@drover/core';
import { gap, type Gap, type WriteRules } from '@drover/core/format';
import { binary, indicesOf, scalarOf } from '../vocabulary/build.js';
import { heldType, type GraphWriter, type Operand, type Ref } from '../vocabulary/graph-writer.js';
import { constantIndices, coordinatesFirst, coordinatesLast, grid } from '../vocabulary/indices.js';
import { isGap, type ReadRules, type ToCore } from '../vocabulary/rule.js';

const readOneHot: ToCore = (node) => {
  const indices = indicesOf(node, node.input(0));
  const rank = node.shape(0).length;
  const dtype = node.dtype('dtype');
  const depth = node.int('depth');
  const values = node.graph.literal(dtype, [2], [node.float('off_value'), node.float('on_value')]);
  // Core counts negative indices from the end; for MXNet they are outside.
  const outside = scalarOf(node, indices.dtype, depth);
  const isNegative = binary(
    node,
    ops.Less,
    indices,
    scalarOf(node, indices.dtype, 0),
    'is_negative',
  );
  const settled = node.graph.add(
    ops.Where,
    { condition: isNegative, x: outside, y: indices },
    {},
    node.step('settled'),
  ).y;
  return node.graph.add(
    ops.OneHot,
    { indices: settled, values },
    { axis: rank, depth: [depth] },
    node.options,
  ).y;
};

const readScatterNd: ToCore = (node) => {
  const updates = node.input(0);
  const indices = coordinatesLast(node, indicesOf(node, node.input(1)));
  const x = node.graph.add(
    ops.Expand,
    { x: scalarOf(node, updates.dtype, 0) },
    { shape: node.ints('shape') ?? [] },
    node.step('zeros'),
  ).y;
  return node.graph.add(ops.ScatterND, { x, indices, updates }, { reduction: 'none' }, node.options)
    .y;
};

/** Slices along the first dimension put in the place of others. */
const readIndexCopy: ToCore = (node) => {
  const places = indicesOf(node, node.input(1));
  const indices = node.graph.add(ops.Unsqueeze, { x: places }, { axes: [1] }, node.step('rows')).y;
  return node.graph.add(
    ops.ScatterND,
    { x: node.input(0), indices, updates: node.input(2) },
    { reduction: 'none' },
    node.options,
  ).y;
};

/**
 * Coordinates counted from the start, first dimension first: `scatter_nd` takes those below zero
 * for places before its memory.
 */
function placesOf(writer: GraphWriter, indices: Value, shape: readonly number[]): Ref | Gap {
  const first = coordinatesFirst(writer, indices, 0);
  if (isGap(first) || constantIndices(indices)?.every((index) => index >= 0)) return first;
  const depth = indices.shape!.at(-1)!;
  if (typeof depth !== 'number')
    return gap('how many coordinates its indices have is not known before the model runs');
  const sizes = writer.literal(
    'int64',
    [depth, ...indices.shape!.slice(1).map(() => 1)],
    shape.slice(0, depth),
  );
  return writer.step('broadcast_mod', [writer.cast(first, indices.dtype, 'int64'), sizes]);
}

/**
 * Elements put at their places among zeros, and taken where a mark was put at the same places:
 * MXNet has no operator that only changes some elements.
 */
function writeSet(
  node: Node,
  writer: GraphWriter,
  x: Value,
  updates: Value,
  places: Ref,
  marks: Operand,
): void {
  const shape = x.shape as readonly number[];
  const mask = writer.step('scatter_nd', [marks, places], { shape });
  writer.node(
    '_npi_where',
    [mask, writer.step('scatter_nd', [updates, places], { shape }), x],
    {},
    node.outputs,
  );
}

/** Ones of the shape of a value, in float32. */
const marksOf = (writer: GraphWriter, value: Value): Operand =>
  writer.cast(writer.step('ones_like', [value]), heldType(value.dtype), 'float32');

const onlySets = gap(
  'MXNet 1.9 sets elements by index, but does not combine them with what is there',
);

function writeScatterNd(node: Node<typeof ops.ScatterND>, writer: GraphWriter): Gap | void {
  const { x, indices, updates } = node.operands;
  if (node.attrs.reduction !== 'none') return onlySets;
  if (!x.shape || !isStatic(x.shape))
    return gap('the shape of what it changes is not known before the model runs');
  const places = placesOf(writer, indices, x.shape);
  if (isGap(places)) return places;
  writeSet(node as Node, writer, x, updates, places, marksOf(writer, updates));
}

function writeScatterElements(
  node: Node<typeof ops.ScatterElements>,
  writer: GraphWriter,
): Gap | void {
  const { x, indices, updates } = node.operands;
  if (node.attrs.reduction !== 'none') return onlySets;
  if (!x.shape || !isStatic(x.shape) || !indices.shape || !isStatic(indices.shape))
    return gap('the shape of what it changes is not known before the model runs');
  const places = grid(writer, indices, indices.shape, node.attrs.axis, x.shape[node.attrs.axis]!);
  writeSet(node as Node, writer, x, updates, places, marksOf(writer, updates));
}

function writeOneHot(node: Node<typeof ops.OneHot>, writer: GraphWriter): Gap | void {
  const { indices, values } = node.operands;
  const { axis, depth } = node.attrs;
  const known = values.constant?.peek();
  const size = depth?.[0];
  if (!known || typeof size !== 'number' || indices.rank === undefined)
    return gap('its depth or its values are not known before the model runs');
  const [off, on] = toNumbers(known) as unknown as [number, number];
  // Negative indices count from the end in core; in MXNet they are outside.
  const isNegative = writer.cast(
    writer.step('_lesser_scalar', [indices], { scalar: 0 }),
    indices.dtype,
    'float32',
  );
  const from = writer.step('_npi_where', [
    isNegative,
    writer.step('_plus_scalar', [indices], { scalar: size }),
    indices,
  ]);
  const attributes = { depth: size, on_value: on, off_value: off, dtype: values.dtype };
  if (axis === indices.rank) return writer.node('one_hot', [from], attributes, node.outputs);
  const perm = [
    ...Array.from({ length: axis }, (_, i) => i),
    indices.rank,
    ...Array.from({ length: indices.rank - axis }, (_, i) => i + axis),
  ];
  writer.node(
    'transpose',
    [writer.step('one_hot', [from], attributes)],
    { axes: perm },
    node.outputs,
  );
}

const toCore = {
  _contrib_index_copy: readIndexCopy,
  one_hot: readOneHot,
  scatter_nd: readScatterNd,
} satisfies ReadRules;

const fromCore = {
  OneHot: writeOneHot,
  ScatterElements: writeScatterElements,
  ScatterND: writeScatterNd,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that place elements by index, both directions. */
export const scatter = { toCore, fromCore };
