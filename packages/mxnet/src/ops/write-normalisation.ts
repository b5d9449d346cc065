import { gap, type Gap, type Node, type ops, type Value, type WriteRules } from '@drover/core';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';

const decomposed = gap('it is written in simpler operators');

function writeBatchNormalization(
  node: Node<typeof ops.BatchNormalization>,
  writer: GraphWriter,
): void {
  const { x, scale, bias, mean, variance } = node.operands;
  const inputs = [x, scale, bias, writer.auxiliary(mean), writer.auxiliary(variance)];
  writer.node(
    'BatchNorm',
    inputs,
    { axis: node.attrs.axis, eps: node.attrs.epsilon, fix_gamma: false },
    node.outputs,
  );
}

/** MXNet always scales and moves: by ones and zeros where core does not. */
function writeLayerNormalization(
  node: Node<typeof ops.LayerNormalization>,
  writer: GraphWriter,
): Gap | void {
  const { x, scale, bias } = node.operands;
  const size = x.shape?.at(-1);
  if (typeof size !== 'number') return gap('the size that it normalises over is not known');
  const filled = (value: number) =>
    writer.literal(x.dtype, [size], new Array<number>(size).fill(value));
  writer.node(
    'LayerNorm',
    [x, scale ?? filled(1), bias ?? filled(0)],
    { axis: node.attrs.axis, eps: node.attrs.epsilon },
    node.outputs,
  );
}

/** MXNet 1.x scales and moves by group, core by channel: the channels follow on their own. */
function writeGroupNormalization(
  node: Node<typeof ops.GroupNormalization>,
  writer: GraphWriter,
): Gap | void {
  const { x, scale, bias } = node.operands;
  const { groups, epsilon } = node.attrs;
  const channels = x.shape?.[1];
  if (!x.shape || typeof channels !== 'number') return gap('the number of channels is not known');
  const filled = (value: number) =>
    writer.literal(x.dtype, [groups], new Array<number>(groups).fill(value));
  const norm = writer.step('GroupNorm', [x, filled(1), filled(0)], {
    num_groups: groups,
    eps: epsilon,
  });
  const column = [channels, ...x.shape.slice(2).map(() => 1)];
  const placed = (value: Value): Operand =>
    value.constant
      ? writer.array(value.name, value.constant.reshape(column))
      : writer.step('Reshape', [value], { shape: column });
  writer.node(
    'broadcast_add',
    [writer.step('broadcast_mul', [norm, placed(scale)]), placed(bias)],
    {},
    node.outputs,
  );
}

const alongAxis =
  (op: string) =>
  (node: Node, writer: GraphWriter): void =>
    writer.node(
      op,
      node.inputs as Value[],
      { axis: (node.attrs as { readonly axis: number }).axis },
      node.outputs,
    );

/** Writing of normalisations. */
export const writeNormalisation = {
  BatchNormalization: writeBatchNormalization,
  GroupNormalization: writeGroupNormalization,
  Hardmax: decomposed,
  InstanceNormalization: (node, writer) =>
    writer.node('InstanceNorm', node.inputs as Value[], { eps: node.attrs.epsilon }, node.outputs),
  LRN: (node, writer) => {
    const { size, alpha, beta, bias } = node.attrs;
    writer.node('LRN', [node.operands.x], { nsize: size, alpha, beta, knorm: bias }, node.outputs);
  },
  LayerNormalization: writeLayerNormalization,
  LogSoftmax: alongAxis('log_softmax'),
  LpNormalization: decomposed,
  RMSNormalization: decomposed,
  Softmax: alongAxis('softmax'),
} satisfies Partial<WriteRules<GraphWriter>>;
