import {
  gap,
  isFloat,
  isStatic,
  sameDim,
  subDim,
  toNumbers,
  type Dim,
  type Gap,
  type Node,
  type ops,
  type Shape,
  type Value,
  type WriteRules,
} from '@drover/core';
import { heldType, type GraphWriter, type Operand, type Ref } from '../vocabulary/graph-writer.js';
import { constantIndices, coordinates } from './write-movement.js';

/** What was brought into 0 to size - 1 before, and how: MXNet's lookups do that themselves. */
function unbounded(
  value: Value,
  size: Dim,
): { readonly indices: Value; readonly mode: 'clip' | 'wrap' } | undefined {
  const { producer } = value;
  if (producer?.op.name === 'Clip') {
    const { min, max } = producer.attrs as {
      readonly min: number | null;
      readonly max: number | null;
    };
    return min === 0 && typeof size === 'number' && max === size - 1
      ? { indices: producer.inputs[0]!, mode: 'clip' }
      : undefined;
  }
  const [first, second] = producer?.inputs ?? [];
  const isElement = (each: Value | undefined, dim: Dim) =>
    each?.elements?.length === 1 && sameDim(each.elements[0]!, dim);
  if (producer?.op.name === 'Mod') {
    const { sign } = producer.attrs as { readonly sign: string };
    return sign === 'divisor' && isElement(second, size)
      ? { indices: first!, mode: 'wrap' }
      : undefined;
  }
  const least =
    producer?.op.name === 'Min' && isElement(second, subDim(size, 1)) ? first?.producer : undefined;
  return least?.op.name === 'Max' && isElement(least.inputs[1], 0)
    ? { indices: least.inputs[0]!, mode: 'clip' }
    : undefined;
}

/**
 * Indices without negative ones; those that depend on data are wrapped round by the operator
 * instead.
 */
function settled(
  writer: GraphWriter,
  indices: Value,
  size: Dim,
): { indices: Operand; mode: 'clip' | 'wrap' } {
  const known = constantIndices(indices);
  if (!known) return unbounded(indices, size) ?? { indices, mode: 'wrap' };
  if (known.every((index) => index >= 0)) return { indices, mode: 'clip' };
  if (typeof size !== 'number') return { indices, mode: 'wrap' };
  const shape = indices.constant!.shape;
  return {
    indices: writer.literal(
      'int64',
      shape.length === 0 ? [1] : shape,
      Array.from(known, (index) => (index < 0 ? index + size : index)),
    ),
    mode: 'clip',
  };
}

/** Indices as MXNet takes them: the floats that integers were cut from will do. */
function uncast(value: Value): Value {
  const { producer } = value;
  const from = producer?.op.name === 'Cast' ? producer.inputs[0] : undefined;
  return from?.dtype === 'float32' ? from : value;
}

function writeGather(node: Node<typeof ops.Gather>, writer: GraphWriter): Gap | void {
  const { x, indices } = node.operands;
  const { axis } = node.attrs;
  const y = node.outputs[0]!;
  if (!x.shape || !y.shape || indices.rank === undefined)
    return gap('the rank of its operands is not known');
  const size = x.shape[axis]!;
  const given = unbounded(indices, size);
  if (
    axis === 0 &&
    x.constant &&
    x.rank === 2 &&
    isFloat(x.dtype) &&
    indices.rank > 0 &&
    given?.mode === 'clip'
  ) {
    const attributes = {
      input_dim: x.constant.shape[0]!,
      output_dim: x.constant.shape[1]!,
      dtype: x.dtype,
    };
    return writer.node('Embedding', [uncast(given.indices), x], attributes, node.outputs);
  }
  const known = constantIndices(indices);
  if (indices.rank === 0) {
    const at = known?.[0];
    const one =
      at === undefined
        ? writer.step('take', [x, indices], { axis, mode: 'wrap' })
        : writer.step('slice_axis', [x], { axis, begin: at, end: at === -1 ? null : at + 1 });
    if (x.rank === 1) return writer.bind(y, one);
    return writer.node('squeeze', [one], { axis: [axis] }, node.outputs);
  }
  const from = settled(writer, indices, size);
  writer.node('take', [x, from.indices], { axis, mode: from.mode }, node.outputs);
}

/**
 * Coordinates of elements, first dimension first: constants for the axes in `fixed`, and `indices`
 * along the other one.
 */
function grid(
  writer: GraphWriter,
  indices: Value,
  shape: readonly number[],
  axis: number,
  size: number,
): Ref {
  const row = (each: Operand) => writer.reshape(each, shape, [1, ...shape])!;
  const parts = shape.map((_, at) => {
    if (at !== axis) return writer.literal('int64', [1, ...shape], coordinates(shape, at));
    const known = unbounded(indices, size)
      ? { indices, mode: 'clip' }
      : settled(writer, indices, size);
    const wrapped =
      known.mode === 'wrap'
        ? writer.step('_mod_scalar', [indices], { scalar: size })
        : known.indices;
    return row(
      known.mode === 'wrap' || known.indices === indices
        ? writer.cast(wrapped, indices.dtype, 'int64')
        : wrapped,
    );
  });
  return parts.length === 1
    ? parts[0]!
    : writer.step('Concat', parts, { num_args: parts.length, dim: 0 });
}

function writeGatherElements(
  node: Node<typeof ops.GatherElements>,
  writer: GraphWriter,
): Gap | void {
  const { x, indices } = node.operands;
  const { axis } = node.attrs;
  const size = x.shape?.[axis];
  if (!indices.shape || typeof size !== 'number' || !x.shape)
    return gap('the shape of its operands is not known');
  const isWhole = x.shape.every((dim, i) => i === axis || dim === indices.shape![i]);
  if (indices.shape[axis] === 1 && isWhole)
    return writer.node('pick', [x, indices], { axis, keepdims: true, mode: 'wrap' }, node.outputs);
  if (!isStatic(indices.shape))
    return gap('the shape of its indices is not known before the model runs');
  writer.node('gather_nd', [x, grid(writer, indices, indices.shape, axis, size)], {}, node.outputs);
}

/**
 * Coordinates lie in the last dimension in core, in the first in MXNet; leading batch coordinates
 * are written out.
 */
function coordinatesFirst(writer: GraphWriter, indices: Value, batchDims: number): Ref | Gap {
  const { shape } = indices;
  if (!shape) return gap('the rank of its indices is not known');
  const rank = shape.length;
  const perm = [rank - 1, ...Array.from({ length: rank - 1 }, (_, i) => i)];
  const first =
    rank === 1 ? writer.ref(indices) : writer.step('transpose', [indices], { axes: perm });
  if (batchDims === 0) return first;
  const places: Shape = shape.slice(0, -1);
  const parts: Ref[] = [];
  for (let axis = 0; axis < batchDims; axis++) {
    const part = batchCoordinates(writer, places, axis);
    if (!part) return gap('the shape of its indices is not known before the model runs');
    parts.push(part);
  }
  const own = writer.cast(first, indices.dtype, 'int64');
  return writer.step('Concat', [...parts, own], { num_args: batchDims + 1, dim: 0 });
}

/**
 * The coordinates of a shape along one axis, [1, ...shape]: stored where the shape is known, else
 * counted along what has it.
 */
function batchCoordinates(writer: GraphWriter, shape: Shape, axis: number): Ref | undefined {
  if (isStatic(shape)) return writer.literal('int64', [1, ...shape], coordinates(shape, axis));
  const size = shape[axis]!;
  const place = writer.sizeSource(size);
  if (typeof size !== 'number' && !place) return undefined;
  const row: Operand =
    typeof size === 'number'
      ? writer.literal('int64', [size], coordinates([size], 0))
      : writer.cast(
          writer.step('_contrib_arange_like', [place!.value], { axis: place!.axis }),
          heldType(place!.value.dtype),
          'int64',
        );
  const column = writer.reshape(row, [size], [1, ...shape.map((_, i) => (i === axis ? size : 1))]);
  return (
    column &&
    writer.broadcast(column, [1, ...shape.map((_, i) => (i === axis ? size : 1))], [1, ...shape])
  );
}

const isGap = (result: Ref | Gap): result is Gap => 'gap' in result;

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

function writeGatherNd(node: Node<typeof ops.GatherND>, writer: GraphWriter): Gap | void {
  const indices = coordinatesFirst(writer, node.operands.indices, node.attrs.batchDims);
  if (isGap(indices)) return indices;
  writer.node('gather_nd', [node.operands.x, indices], {}, node.outputs);
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

/** Writing of operators that look up or place elements by index. */
export const writeIndexing = {
  Gather: writeGather,
  GatherElements: writeGatherElements,
  GatherND: writeGatherNd,
  OneHot: writeOneHot,
  ScatterElements: writeScatterElements,
  ScatterND: writeScatterNd,
} satisfies Partial<WriteRules<GraphWriter>>;
