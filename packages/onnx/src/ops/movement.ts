import {
  isFloat,
  isStatic,
  ops,
  toNumbers,
  type AttrValues,
  type Dim,
  type Node,
  type Value,
} from '@drover/core';
import { gap, type Gap, type WriteRules } from '@drover/core/format';
import { int, ints, text } from '../vocabulary/attribute.js';
import { axisOf } from '../vocabulary/axis.js';
import { Compose } from '../vocabulary/compose.js';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';
import { constantInts, dimsOperand } from '../vocabulary/integer-operand.js';
import { always, versions, wrongLayout, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { meaningOf } from '../vocabulary/word.js';

type PadMode = AttrValues<(typeof ops.Pad)['attrs']>['mode'];

const padModes: ReadonlyMap<string, PadMode> = new Map<string, PadMode>([
  ['constant', 'constant'],
  ['reflect', 'reflect'],
  ['edge', 'edge'],
  ['wrap', 'wrap'],
]);

/** Amounts of some axes among those of all, which are nought. */
function fullPads(node: SourceNode, pads: Value, axes: readonly number[], rank: number): Value {
  const zeros = node.graph.literal('int64', [2 * rank], new Array<number>(2 * rank).fill(0));
  const indices = node.graph.literal(
    'int64',
    [2 * axes.length],
    [...axes, ...axes.map((axis) => axis + rank)],
  );
  return node.graph.add(
    ops.ScatterElements,
    { x: zeros, indices, updates: pads },
    { axis: 0, reduction: 'none' },
    node.step('pads'),
  ).y;
}

/** Padding of the stated axes, or of all. */
const readPad: ToCore = (node) => {
  const [x, pads] = [node.input(0), node.input(1)];
  const mode = meaningOf(node, 'mode', padModes, 'constant');
  const value = mode === 'constant' ? node.optional(2) : undefined;
  const stated = constantInts(node, 3);
  if (!stated)
    return node.graph.add(ops.Pad, { x, pads, value }, { mode, pads: null }, node.options).y;
  const axes = stated.map((axis) => axisOf(node, axis, x.rank));
  const { rank } = x;
  if (rank === undefined) throw node.unsupported('the rank of its operand is not known');
  if (!pads.elements)
    return node.graph.add(
      ops.Pad,
      { x, pads: fullPads(node, pads, axes, rank), value },
      { mode, pads: null },
      node.options,
    ).y;
  if (pads.elements.length !== 2 * axes.length)
    throw node.malformed(`it has ${pads.elements.length} amounts for ${axes.length} axes`);
  const full = new Array<Dim>(2 * rank).fill(0);
  axes.forEach((axis, i) => {
    full[axis] = pads.elements![i]!;
    full[axis + rank] = pads.elements![i + axes.length]!;
  });
  return node.graph.add(ops.Pad, { x, value }, { mode, pads: full }, node.options).y;
};

const readPadByAttributes: ToCore = (node) => {
  const x = node.input(0);
  const mode = meaningOf(node, 'mode', padModes, 'constant');
  const amount = node.float('value', 0);
  const value =
    mode === 'constant' && amount !== 0 ? new Compose(node).scalar(x.dtype, amount) : undefined;
  return node.graph.add(
    ops.Pad,
    { x, value },
    { mode, pads: node.ints('pads') ?? [] },
    node.options,
  ).y;
};

const depthModes: ReadonlyMap<string, 'DCR' | 'CRD'> = new Map<string, 'DCR' | 'CRD'>([
  ['DCR', 'DCR'],
  ['CRD', 'CRD'],
]);

const toCore = {
  Concat: always((node) => {
    const inputs = node.inputs();
    return node.graph.add(
      ops.Concat,
      { inputs },
      { axis: axisOf(node, node.int('axis'), inputs[0]?.rank) },
      node.options,
    ).y;
  }),
  DepthToSpace: always((node) => {
    const mode = meaningOf(node, 'mode', depthModes, 'DCR');
    return node.graph.add(
      ops.DepthToSpace,
      { x: node.input(0) },
      { layout: 'channelsFirst', blockSize: node.int('blocksize'), mode },
      node.options,
    ).y;
  }),
  Pad: versions([1, readPadByAttributes], [11, readPad]),
  ReverseSequence: always(
    (node) =>
      node.graph.add(
        ops.ReverseSequence,
        { x: node.input(0), lengths: node.input(1) },
        { timeAxis: node.int('time_axis', 0), batchAxis: node.int('batch_axis', 1) },
        node.options,
      ).y,
  ),
  SpaceToDepth: always((node) => {
    if (node.text('mode', 'DCR') !== 'DCR')
      throw node.unsupported('its blocks come after the channels (mode CRD)');
    return node.graph.add(
      ops.SpaceToDepth,
      { x: node.input(0) },
      { layout: 'channelsFirst', blockSize: node.int('blocksize') },
      node.options,
    ).y;
  }),
  Transpose: always((node) => {
    const x = node.input(0);
    const stated = node.ints('perm');
    if (!stated && x.rank === undefined)
      throw node.unsupported('the rank of its operand is not known');
    return node.graph.add(
      ops.Transpose,
      { x },
      { perm: stated ?? Array.from({ length: x.rank! }, (_, i) => x.rank! - 1 - i) },
      node.options,
    ).y;
  }),
} satisfies ReadRules;

/**
 * What a Pad fills with. onnxruntime (1.31, PadFusion) takes a Pad with zeros whose bits are all
 * zero as padding of the MaxPool after it, which pads with the least number instead: there the
 * zeros are negative.
 */
function padValue(node: Node<typeof ops.Pad>, writer: GraphWriter): Operand {
  const { x, value } = node.operands;
  const elements = value?.constant?.peek();
  const isZero = value === undefined || (elements !== undefined && toNumbers(elements)[0] === 0);
  const isPooled = [...node.outputs[0]!.users].some((user) => user.is(ops.MaxPool));
  return isZero && isPooled && isFloat(x.dtype) && node.attrs.mode === 'constant'
    ? writer.literal(x.dtype, [], [-0])
    : value;
}

/**
 * ONNX mirrors at the middle of the outermost elements; where they are mirrored too, slices taken
 * backwards are joined, one axis after the other.
 */
function padSymmetrically(node: Node<typeof ops.Pad>, writer: GraphWriter): Gap | undefined {
  const { x } = node.operands;
  const { pads } = node.attrs;
  if (!pads || !isStatic(pads) || pads.some((pad) => pad < 0))
    return gap('padding that mirrors the border itself needs amounts that are known');
  const rank = pads.length / 2;
  const backwards = (y: Operand, axis: number, from: number, end: number) =>
    writer.step('Slice', [
      y,
      writer.ints([from]),
      writer.ints([end]),
      writer.ints([axis]),
      writer.ints([-1]),
    ]);
  const padded = Array.from({ length: rank }, (_, axis) => axis).reduce<Operand>((y, axis) => {
    const [begin, end] = [pads[axis]!, pads[axis + rank]!];
    if (begin === 0 && end === 0) return y;
    // The end of a backward slice lies before the first element whatever the size.
    const before = begin === 0 ? [] : [backwards(y, axis, begin - 1, -(2 ** 31))];
    const after = end === 0 ? [] : [backwards(y, axis, -1, -end - 1)];
    return writer.step('Concat', [...before, y, ...after], { axis: int(axis) });
  }, x);
  writer.node('Identity', [padded], {}, node.outputs);
  return undefined;
}

const fromCore = {
  Concat: (node, writer) =>
    writer.node('Concat', node.inputs, { axis: int(node.attrs.axis) }, node.outputs),
  DepthToSpace: (node, writer) => {
    if (node.attrs.layout !== 'channelsFirst') return wrongLayout;
    return writer.node(
      'DepthToSpace',
      node.inputs,
      { blocksize: int(node.attrs.blockSize), mode: text(node.attrs.mode) },
      node.outputs,
    );
  },
  Pad: (node, writer) => {
    if (node.attrs.mode === 'symmetric') return padSymmetrically(node, writer);
    if (node.attrs.mode === 'wrap' && writer.opset < 19)
      return gap('padding that wraps round needs operator set 19');
    const { x, pads } = node.operands;
    return writer.node(
      'Pad',
      [x, dimsOperand(writer, node.attrs.pads, pads), padValue(node, writer)],
      { mode: text(node.attrs.mode) },
      node.outputs,
    );
  },
  Reverse: (node, writer) => {
    const { axes } = node.attrs;
    const all = (value: number) => writer.ints(axes.map(() => value));
    // A negative step runs from the last element; the end is before the first whatever the size.
    writer.node(
      'Slice',
      [node.operands.x, all(-1), all(-(2 ** 31)), writer.ints(axes), all(-1)],
      {},
      node.outputs,
    );
  },
  ReverseSequence: (node, writer) =>
    writer.node(
      'ReverseSequence',
      [node.operands.x, writer.int64(node.operands.lengths)],
      { time_axis: int(node.attrs.timeAxis), batch_axis: int(node.attrs.batchAxis) },
      node.outputs,
    ),
  SpaceToDepth: (node, writer) =>
    node.attrs.layout === 'channelsFirst'
      ? writer.node(
          'SpaceToDepth',
          node.inputs,
          { blocksize: int(node.attrs.blockSize) },
          node.outputs,
        )
      : wrongLayout,
  Transpose: (node, writer) =>
    writer.node('Transpose', node.inputs, { perm: ints(node.attrs.perm) }, node.outputs),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that move elements, both directions. */
export const movement = { toCore, fromCore };
