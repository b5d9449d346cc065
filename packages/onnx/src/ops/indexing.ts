import { isInt, ops, toNumbers, type Dim, type Node, type Value } from '@drover/core';
import { gap, type Gap, type WriteRules } from '@drover/core/format';
import { dataTypeOf } from '../codec/data-type.js';
import { int, text } from '../vocabulary/attribute.js';
import { axisOf } from '../vocabulary/axis.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { Compose } from '../vocabulary/compose.js';
import { always, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

const reduction = (node: SourceNode) => {
  const named = node.text('reduction', 'none');
  if (named === 'none' || named === 'add' || named === 'mul' || named === 'max' || named === 'min')
    return named;
  throw node.unsupported(`its reduction is ${named}`);
};

const readScatterElements: ToCore = (node) =>
  node.graph.add(
    ops.ScatterElements,
    { x: node.input(0), indices: node.input(1), updates: node.input(2) },
    { axis: axisOf(node, node.int('axis', 0), node.input(0).rank), reduction: reduction(node) },
    node.options,
  ).y;

/** A triangle; one that starts where data says is chosen element by element. */
const readTrilu: ToCore = (node) => {
  const [x, given] = [node.input(0), node.optional(1)];
  const upper = node.int('upper', 1) === 1;
  const known = given ? given.constant?.peek() : undefined;
  if (!given || known) {
    return node.graph.add(
      ops.Trilu,
      { x },
      { upper, k: known ? Number(known.data[0]) : 0 },
      node.options,
    ).y;
  }
  if (x.rank === undefined) throw node.unsupported('the rank of its operand is not known');
  const compose = new Compose(node);
  const [rows, columns] = [2, 1].map((back) =>
    compose.count(compose.size(x, x.rank! - back, `size${back}`), `count${back}`),
  ) as [Value, Value];
  const moved = compose.binary(
    ops.Add,
    rows,
    given.rank === 1 ? compose.squeeze(given, [0], 'k') : given,
    'moved',
  );
  const edge = compose.unsqueeze(moved, [1], 'edge');
  const isKept = compose.binary(
    upper ? ops.GreaterOrEqual : ops.LessOrEqual,
    columns,
    edge,
    'is_kept',
  );
  return compose.where(isKept, x, compose.scalar(x.dtype, 0));
};

const toCore = {
  Gather: always(
    (node) =>
      node.graph.add(
        ops.Gather,
        { x: node.input(0), indices: node.input(1) },
        { axis: axisOf(node, node.int('axis', 0), node.input(0).rank) },
        node.options,
      ).y,
  ),
  GatherElements: always(
    (node) =>
      node.graph.add(
        ops.GatherElements,
        { x: node.input(0), indices: node.input(1) },
        { axis: axisOf(node, node.int('axis', 0), node.input(0).rank) },
        node.options,
      ).y,
  ),
  GatherND: always(
    (node) =>
      node.graph.add(
        ops.GatherND,
        { x: node.input(0), indices: node.input(1) },
        { batchDims: node.int('batch_dims', 0) },
        node.options,
      ).y,
  ),
  NonZero: always((node) => node.graph.add(ops.NonZero, { x: node.input(0) }, {}, node.options).y),
  OneHot: always((node) => {
    const [indices, depth, values] = [node.input(0), node.input(1), node.input(2)];
    const axis = axisOf(
      node,
      node.int('axis', -1),
      indices.rank === undefined ? undefined : indices.rank + 1,
    );
    const count = depth.constant?.peek();
    return node.graph.add(
      ops.OneHot,
      { indices, values, ...(!count && { depth }) },
      { axis, depth: count ? [toNumbers(count)[0]!] : null },
      node.options,
    ).y;
  }),
  Scatter: always(readScatterElements),
  ScatterElements: always(readScatterElements),
  ScatterND: always(
    (node) =>
      node.graph.add(
        ops.ScatterND,
        { x: node.input(0), indices: node.input(1), updates: node.input(2) },
        { reduction: reduction(node) },
        node.options,
      ).y,
  ),
  Trilu: always(readTrilu),
} satisfies ReadRules;

/** Writes an operator whose only attribute is an axis. */
const axisOnly =
  (opType: string) =>
  (node: Node, writer: GraphWriter): void =>
    writer.node(
      opType,
      node.inputs,
      { axis: int((node.attrs as { readonly axis: number }).axis) },
      node.outputs,
    );
const reductionName = (name: string) => (name === 'none' ? undefined : text(name));

/** Sums and products came with version 16, extremes with 18. */
function reductionTooNew({ opset }: GraphWriter, reduction: string): Gap | undefined {
  const since = reduction === 'none' ? 13 : reduction === 'add' || reduction === 'mul' ? 16 : 18;
  return opset < since
    ? gap(`scattering with ${reduction} needs operator set ${since}`)
    : undefined;
}

const fromCore = {
  Gather: axisOnly('Gather'),
  GatherElements: axisOnly('GatherElements'),
  GatherND: (node, writer) =>
    writer.node(
      'GatherND',
      [node.operands.x, writer.int64(node.operands.indices)],
      { batch_dims: int(node.attrs.batchDims) },
      node.outputs,
    ),
  NonZero: (node, writer) => writer.node('NonZero', node.inputs, {}, node.outputs),
  OneHot: (node, writer) => {
    const { indices, values } = node.operands;
    const depth =
      node.attrs.depth === null
        ? writer.int64(node.operands.depth!)
        : writer.dims(node.attrs.depth);
    const attributes = { axis: int(node.attrs.axis) };
    const places = isInt(indices.dtype) ? writer.int64(indices) : indices;
    // onnxruntime 1.30 has kernels for some types only: int64 indices, and int64 for all that are
    // no larger.
    if (values.dtype === 'int64' || !(isInt(values.dtype) || values.dtype === 'bool')) {
      return writer.node('OneHot', [places, depth, values], attributes, node.outputs);
    }
    const wide = writer.step(
      'OneHot',
      [places, depth, writer.step('Cast', [values], { to: int(dataTypeOf('int64')) })],
      attributes,
    );
    return writer.node('Cast', [wide], { to: int(dataTypeOf(values.dtype)) }, node.outputs);
  },
  ScatterElements: (node, writer) => {
    const { axis, reduction } = node.attrs;
    return (
      reductionTooNew(writer, reduction) ??
      writer.node(
        'ScatterElements',
        node.inputs,
        { axis: int(axis), reduction: reductionName(reduction) },
        node.outputs,
      )
    );
  },
  ScatterND: (node, writer) => {
    const { x, indices, updates } = node.operands;
    const { reduction } = node.attrs;
    return (
      reductionTooNew(writer, reduction) ??
      writer.node(
        'ScatterND',
        [x, writer.int64(indices), updates],
        { reduction: reductionName(reduction) },
        node.outputs,
      )
    );
  },
  Trilu: (node, writer) => {
    const { x } = node.operands;
    const { k, upper } = node.attrs;
    if (writer.opset >= 14)
      return writer.node(
        'Trilu',
        [x, writer.literal('int64', [], [k])],
        { upper: int(upper) },
        node.outputs,
      );
    const sizes = x.shape?.slice(-2);
    if (!sizes || !writer.canCompute(sizes))
      return gap('triangles of a size that is not known need operator set 14');
    const axis = writer.ints([0]);
    const count = (size: Dim) =>
      writer.step('Range', [
        writer.literal('int64', [], [0]),
        writer.step('Squeeze', [writer.dim(size), axis]),
        writer.literal('int64', [], [1]),
      ]);
    const rows = writer.step('Unsqueeze', [
      writer.step('Add', [count(sizes[0]!), writer.literal('int64', [], [k])]),
      writer.ints([1]),
    ]);
    const isOutside = writer.step(upper ? 'Greater' : 'Less', [rows, count(sizes[1]!)]);
    return writer.node('Where', [isOutside, writer.literal(x.dtype, [], [0]), x], {}, node.outputs);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that pick or put elements by indices, both directions. */
export const indexing = { toCore, fromCore };
