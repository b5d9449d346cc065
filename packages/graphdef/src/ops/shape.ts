import { ops } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import { ints } from '../vocabulary/attribute.js';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import { shapeOf, unsqueeze } from '../vocabulary/shape.js';

const readSqueeze: ToCore = (node) => {
  const x = node.input(0);
  const stated = node.ints('squeeze_dims');
  const shape = node.dims(x);
  const axes =
    stated.length > 0
      ? stated.map((axis) => node.axis(axis, shape.length)).sort((a, b) => a - b)
      : shape.flatMap((dim, i) => (dim === 1 ? [i] : []));
  if (stated.length === 0 && shape.some((dim) => typeof dim !== 'number'))
    throw node.unsupported('which dimensions are 1 is not known');
  return node.graph.add(ops.Squeeze, { x }, { axes }, node.options).y;
};

const readExpandDims: ToCore = (node) => {
  const x = node.input(0);
  const [axis] = node.constantInts(1);
  return unsqueeze(node, x, node.axis(axis ?? 0, node.rank(x) + 1));
};

const readSize: ToCore = (node) => {
  const shape = shapeOf(node, node.input(0));
  return node.graph.add(ops.ReduceProd, { x: shape }, { axes: [0], keepdims: false }, node.options)
    .y;
};

const toCore = {
  ExpandDims: readExpandDims,
  Rank: (node) => node.graph.literal('int32', [], [node.rank(node.input(0))], node.name),
  Reshape: (node) =>
    node.graph.add(
      ops.Reshape,
      { x: node.input(0), shape: node.input(1) },
      { shape: null },
      node.options,
    ).y,
  Shape: (node) => shapeOf(node, node.input(0)),
  ShapeN: (node) => node.inputs().map((x, i) => shapeOf(node, x, `_${i}`)),
  Size: readSize,
  Squeeze: readSqueeze,
} satisfies ReadRules;

const fromCore = {
  Dims: (node, writer) => writer.set(node.outputs[0]!, writer.dims(node.attrs.values)),
  Reshape: (node, writer) => {
    const { x, shape } = node.operands;
    return writer.node(
      'Reshape',
      [
        x,
        node.attrs.shape === null ? writer.cast(shape!, 'int32') : writer.target(node.attrs.shape),
      ],
      {},
      node.outputs,
    );
  },
  Shape: (node, writer) => writer.set(node.outputs[0]!, writer.shapeOf(node.operands.x)),
  Squeeze: (node, writer) =>
    writer.node(
      'Squeeze',
      [node.operands.x],
      { squeeze_dims: ints(node.attrs.axes) },
      node.outputs,
    ),
  Unsqueeze: (node, writer) => {
    const { axes } = node.attrs;
    const [last] = axes.slice(-1);
    const y = axes
      .slice(0, -1)
      .reduce<Operand>(
        (x, axis) => writer.step('ExpandDims', [x, writer.int(axis)]),
        node.operands.x,
      );
    return last === undefined
      ? writer.set(node.outputs[0]!, writer.ref(y))
      : writer.node('ExpandDims', [y, writer.int(last)], {}, node.outputs);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that tell shapes or change them without moving elements, both directions. */
export const shape = { toCore, fromCore };
