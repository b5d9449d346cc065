import { isStatic, ops, productOf, sameDim, type Shape, type Value } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import { int } from '../vocabulary/attribute.js';
import { axisOf } from '../vocabulary/axis.js';
import { Compose } from '../vocabulary/compose.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { constantInts, shapeOperand } from '../vocabulary/integer-operand.js';
import { always, versions, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

const axesOf = (node: SourceNode, axes: readonly number[], rank: number | undefined) =>
  axes.map((axis) => axisOf(node, axis, rank)).sort((a, b) => a - b);

const readSqueeze =
  (given: (node: SourceNode) => readonly number[] | undefined): ToCore =>
  (node) => {
    const x = node.input(0);
    const stated = given(node);
    if (!stated && !x.shape) throw node.unsupported('which dimensions are 1 is not known');
    const axes = stated
      ? axesOf(node, stated, x.rank)
      : x.shape!.flatMap((dim, i) => (dim === 1 ? [i] : []));
    return node.graph.add(ops.Squeeze, { x }, { axes }, node.options).y;
  };

const readUnsqueeze =
  (given: (node: SourceNode) => readonly number[] | undefined): ToCore =>
  (node) => {
    const x = node.input(0);
    const stated = given(node) ?? [];
    const axes = axesOf(node, stated, x.rank === undefined ? undefined : x.rank + stated.length);
    return node.graph.add(ops.Unsqueeze, { x }, { axes }, node.options).y;
  };

/**
 * A shape that depends on data, in which a 0 stands for the dimension of the operand in its place;
 * as it is where it was computed, or nothing tells how many there are.
 */
function copiedSizes(node: SourceNode, x: Value, shape: Value): Value {
  const [count] = shape.shape ?? [];
  if (typeof count !== 'number' || x.rank === undefined || shape.producer) return shape;
  const compose = new Compose(node);
  const own = node.graph.add(ops.Shape, { x }, {}, node.step('sizes')).y;
  const kept = count < x.rank ? compose.slice(own, 0, 0, count, 1, 'kept') : own;
  const sizes =
    count > x.rank
      ? compose.concat([kept, compose.ints(new Array<number>(count - x.rank).fill(0))], 0, 'places')
      : kept;
  const isCopied = compose.binary(ops.Equal, shape, compose.scalar('int64', 0), 'is_copied');
  return compose.where(isCopied, sizes, shape, 'settled');
}

/** Entries of 0 copy the dimension at their place, unless `allowzero`. */
const readReshape: ToCore = (node) => {
  const [x, shape] = [node.input(0), shapeOperand(node, 1)];
  const allowZero = node.int('allowzero', 0) === 1;
  const target = shape.elements;
  if (!target && !allowZero)
    return node.graph.add(
      ops.Reshape,
      { x, shape: copiedSizes(node, x, shape) },
      { shape: null },
      node.options,
    ).y;
  if (!target || allowZero || !target.includes(0))
    return node.graph.add(ops.Reshape, { x, shape }, { shape: null }, node.options).y;
  if (!x.shape) throw node.unsupported('it copies dimensions of a value of unknown rank');
  const settled = target.map((dim, i) => (dim === 0 ? (x.shape![i] ?? 0) : dim));
  return node.graph.add(ops.Reshape, { x }, { shape: settled }, node.options).y;
};

const readFlatten: ToCore = (node) => {
  const x = node.input(0);
  if (!x.shape) throw node.unsupported('the rank of its operand is not known');
  const stated = node.int('axis', 1);
  // Flatten may be told to take all dimensions before the axis.
  const axis = stated === x.rank ? stated : axisOf(node, stated, x.rank);
  return node.graph.add(
    ops.Reshape,
    { x },
    { shape: [productOf(x.shape.slice(0, axis)), productOf(x.shape.slice(axis))] },
    node.options,
  ).y;
};

const readShape: ToCore = (node) => {
  const x = node.input(0);
  const { y } = node.graph.add(ops.Shape, { x }, {}, node.options);
  if (!node.has('start') && !node.has('end')) return y;
  const rank = x.rank;
  if (rank === undefined) throw node.unsupported('the rank of its operand is not known');
  const clamp = (position: number) =>
    Math.min(rank, Math.max(0, position < 0 ? position + rank : position));
  const slice = {
    axes: [0],
    starts: [clamp(node.int('start', 0))],
    ends: [clamp(node.int('end', rank))],
    steps: [1],
  };
  return node.graph.add(ops.Slice, { x: y }, slice, node.step('slice')).y;
};

const toCore = {
  Flatten: always(readFlatten),
  Reshape: always(readReshape),
  Shape: always(readShape),
  Size: always((node) => {
    const shape = node.graph.add(ops.Shape, { x: node.input(0) }, {}, node.step('shape')).y;
    return node.graph.add(
      ops.ReduceProd,
      { x: shape },
      { axes: [0], keepdims: false },
      node.options,
    ).y;
  }),
  Squeeze: versions(
    [1, readSqueeze((node) => node.ints('axes'))],
    [13, readSqueeze((node) => constantInts(node, 1))],
  ),
  Unsqueeze: versions(
    [1, readUnsqueeze((node) => node.ints('axes'))],
    [13, readUnsqueeze((node) => constantInts(node, 1))],
  ),
} satisfies ReadRules;

/**
 * A target shape in the shortest form: constants, with -1 for the one dimension that is not a
 * number and 0 where one is copied from its place.
 */
function reshapeTarget(writer: GraphWriter, shape: Shape, from: Shape | undefined): string {
  if (isStatic(shape)) return writer.ints(shape);
  if (!shape.includes(-1) && !shape.includes(0)) {
    const copied = shape.map((dim, i) =>
      typeof dim !== 'number' && from?.[i] !== undefined && sameDim(dim, from[i]!) ? 0 : dim,
    );
    const open = copied.filter((dim) => typeof dim !== 'number');
    if (open.length <= 1)
      return writer.ints(copied.map((dim) => (typeof dim === 'number' ? dim : -1)));
  }
  return writer.dims(shape);
}

const fromCore = {
  Dims: (node, writer) => {
    const [y] = node.outputs;
    const name = writer.dims(node.attrs.values);
    if (writer.isNamed(y!)) writer.node('Identity', [name], {}, node.outputs);
    else writer.bind(y!, name);
  },
  Reshape: (node, writer) => {
    const { x, shape } = node.operands;
    const target =
      node.attrs.shape === null
        ? writer.int64(shape!)
        : reshapeTarget(writer, node.attrs.shape, x.shape);
    const isZeroKept = node.attrs.shape?.includes(0) === true && isStatic(node.attrs.shape);
    if (isZeroKept && writer.opset < 14)
      return gap('a shape with a dimension of 0 needs operator set 14');
    return writer.node(
      'Reshape',
      [x, target],
      { allowzero: isZeroKept ? int(1) : undefined },
      node.outputs,
    );
  },
  Shape: (node, writer) => writer.node('Shape', node.inputs, {}, node.outputs),
  Squeeze: (node, writer) =>
    writer.node('Squeeze', [node.operands.x, writer.ints(node.attrs.axes)], {}, node.outputs),
  Unsqueeze: (node, writer) =>
    writer.node('Unsqueeze', [node.operands.x, writer.ints(node.attrs.axes)], {}, node.outputs),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that tell shapes or change them without moving elements, both directions. */
export const shape = { toCore, fromCore };
