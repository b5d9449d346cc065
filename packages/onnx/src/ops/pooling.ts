import { ops, sameShape, type Node, type Value } from '@drover/core';
import { gap, windowCounts, type WriteRules } from '@drover/core/format';
import { int, ints } from '../vocabulary/attribute.js';
import { Compose, shapeOf } from '../vocabulary/compose.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { always, wrongLayout, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { windowAttributes, windowOf, type Window } from '../vocabulary/window.js';

function poolAttrs(node: SourceNode, x: Value) {
  node.ignore('storage_order');
  if (node.hasOutput(1)) throw node.unsupported('its indices are used');
  const kernel = node.ints('kernel_shape') ?? [];
  return { kernel, ...windowOf(node, x, kernel), ceil: node.int('ceil_mode', 0) === 1 };
}

const readMaxPool: ToCore = (node) => {
  const x = node.input(0);
  return node.graph.add(ops.MaxPool, { x }, poolAttrs(node, x), node.options).y;
};

const readAveragePool: ToCore = (node) => {
  const x = node.input(0);
  const countIncludePad = node.int('count_include_pad', 0) === 1;
  return node.graph.add(
    ops.AveragePool,
    { x },
    { ...poolAttrs(node, x), countIncludePad },
    node.options,
  ).y;
};

/** A reduction of all spatial axes, which stay with size 1. */
const global =
  (op: typeof ops.ReduceMean): ToCore =>
  (node) => {
    const x = node.input(0);
    if (x.rank === undefined) throw node.unsupported('the rank of its operand is not known');
    return node.graph.add(
      op,
      { x },
      { axes: Array.from({ length: x.rank - 2 }, (_, i) => i + 2), keepdims: true },
      node.options,
    ).y;
  };

/** The p-th root of the sum of p-th powers over all spatial axes. */
const readGlobalLpPool: ToCore = (node) => {
  const p = node.int('p', 2);
  if (p === 1 || p === 2) return global(p === 1 ? ops.ReduceL1 : ops.ReduceL2)(node);
  const x = node.input(0);
  const compose = new Compose(node);
  const powers = compose.binary(
    ops.Pow,
    compose.unary(ops.Abs, x, 'abs'),
    compose.scalar(x.dtype, p),
    'powers',
  );
  const axes = shapeOf(node, x)
    .map((_, i) => i)
    .slice(2);
  const sum = node.graph.add(
    ops.ReduceSum,
    { x: powers },
    { axes, keepdims: true },
    node.step('sum'),
  ).y;
  return compose.binary(ops.Pow, sum, compose.scalar(x.dtype, 1 / p));
};

const toCore = {
  AveragePool: always(readAveragePool),
  GlobalAveragePool: always(global(ops.ReduceMean)),
  GlobalLpPool: always(readGlobalLpPool),
  GlobalMaxPool: always(global(ops.ReduceMax)),
  LpPool: always((node) => {
    const x = node.input(0);
    return node.graph.add(
      ops.LpPool,
      { x },
      { ...poolAttrs(node, x), p: node.int('p', 2) },
      node.options,
    ).y;
  }),
  MaxPool: always(readMaxPool),
} satisfies ReadRules;

type Pool = Node<typeof ops.MaxPool> | Node<typeof ops.AveragePool> | Node<typeof ops.LpPool>;

/**
 * Whether rounding up makes a difference. Where it does not it is not stated: type inference of
 * ONNX 1.23 counts windows that lie in the padding alone.
 */
function roundsUp({ attrs, inputs }: Pool): boolean {
  const from = inputs[0]?.shape?.slice(2);
  if (!attrs.ceil || !from) return attrs.ceil;
  const [up, down] = [true, false].map((ceil) => windowCounts(from, attrs.kernel, attrs, ceil));
  return !sameShape(up!, down!);
}

/** Average and Lp pools have `dilations` only since versions 19 and 18. */
const poolAttributes = (node: Pool) => ({
  ...windowAttributes(node.attrs as Window),
  dilations: node.attrs.dilations.every((step) => step === 1)
    ? undefined
    : ints(node.attrs.dilations),
  kernel_shape: ints(node.attrs.kernel),
  ceil_mode: roundsUp(node) ? int(1) : undefined,
});

const fromCore = {
  AveragePool: (node, writer) => {
    if (node.attrs.layout !== 'channelsFirst') return wrongLayout;
    if (node.attrs.dilations.some((step) => step !== 1) && writer.opset < 19)
      return gap('dilated average pooling needs operator set 19');
    return writer.node(
      'AveragePool',
      node.inputs,
      { ...poolAttributes(node), count_include_pad: int(node.attrs.countIncludePad) },
      node.outputs,
    );
  },
  LpPool: (node, writer) => {
    if (node.attrs.layout !== 'channelsFirst') return wrongLayout;
    const isPlain = !node.attrs.ceil && node.attrs.dilations.every((step) => step === 1);
    if (!isPlain && writer.opset < 18)
      return gap('dilated or rounded-up Lp pooling needs operator set 18');
    return writer.node(
      'LpPool',
      node.inputs,
      { ...poolAttributes(node), p: int(node.attrs.p) },
      node.outputs,
    );
  },
  MaxPool: (node, writer) =>
    node.attrs.layout === 'channelsFirst'
      ? writer.node('MaxPool', node.inputs, poolAttributes(node), node.outputs)
      : wrongLayout,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Pools over images, both directions. */
export const pooling = { toCore, fromCore };
