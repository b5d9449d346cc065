import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import type { Value } from '../../graph/value.js';
import { add } from '../../ops/add.js';
import { groupNormalization } from '../../ops/group-normalization.js';
import { instanceNormalization } from '../../ops/instance-normalization.js';
import { mul } from '../../ops/mul.js';
import { reshape } from '../../ops/reshape.js';
import { sameDim, sameShape } from '../../tensor/dim.js';
import { tensor, toNumbers } from '../../tensor/tensor.js';
import { Weight } from '../../tensor/weight.js';
import { definePass } from '../define-pass.js';
import { bothOrders, madeBy } from './pattern.js';

/** Whether every element of a constant in memory is a number. */
function isFilledWith(value: Value, number: number): boolean {
  const elements = value.constant?.peek();
  return elements !== undefined && toNumbers(elements).every((element) => element === number);
}

/**
 * One element per channel of a tensor [batch, channels, spatial…], from a constant that broadcasts
 * to it so.
 */
function perChannel(graph: Graph, value: Value, rank: number, channels: number): Value | undefined {
  const shape = value.constant?.shape;
  if (!shape) return undefined;
  const axis = shape.length - (rank - 1);
  const fits = axis >= 0 && shape.every((dim, i) => dim === (i === axis ? channels : 1));
  return fits
    ? graph.constant(value.constant!.reshape([channels]), value.name, value.origin)
    : undefined;
}

/** The constant operand that follows a value as the only use of it, by an operator. */
function follower(
  graph: Graph,
  value: Value,
  op: typeof mul | typeof add,
): { node: Node; constant: Value } | undefined {
  const [user] = value.users;
  if (
    value.users.size !== 1 ||
    !user?.is(op) ||
    graph.outputs.some((output) => output.value === value)
  )
    return undefined;
  const constant = bothOrders(user).find(
    ([operand, other]) => operand === value && other.constant,
  )?.[1];
  return constant && { node: user, constant };
}

/**
 * Instance normalisation over groups of channels between two reshapes, and a scale and a bias per
 * channel after it, are a group normalisation. PyTorch's exporters write it so before ONNX had the
 * operator.
 *
 *     %g = Reshape(%x) {shape: ["N", 4, -1]}; %i = InstanceNormalization(%g, ones, zeros);
 *       %r = Reshape(%i); %y = Add(Mul(%r, %scale), %bias)
 *     %y = GroupNormalization(%x, %scale, %bias) {groups: 4}
 */
export const recogniseGroupNormalization = definePass(
  'recognise-group-normalization',
  ['names', 'layout', 'composites'],
  (graph) => {
    let edits = 0;
    for (const node of graph.sorted()) {
      if (!node.is(reshape)) continue;
      const instance = madeBy(node.operands.x, instanceNormalization);
      const grouped = instance && madeBy(instance.operands.x, reshape);
      if (!instance || !grouped || instance.attrs.layout !== 'channelsFirst') continue;
      const x = grouped.operands.x;
      const [batch, groups, ...rest] = instance.operands.x.shape ?? [];
      const channels = x.shape?.[1];
      const isGrouping =
        rest.length === 1 &&
        typeof groups === 'number' &&
        typeof channels === 'number' &&
        channels % groups === 0;
      const { scale, bias } = instance.operands;
      if (
        !isGrouping ||
        !sameDim(batch!, x.shape![0]!) ||
        !node.outputs[0]!.shape ||
        !sameShape(node.outputs[0]!.shape, x.shape!)
      )
        continue;
      if (!isFilledWith(scale, 1) || !isFilledWith(bias, 0)) continue;
      let last: Node = node;
      const factor = follower(graph, last.outputs[0]!, mul);
      const scales = factor && perChannel(graph, factor.constant, x.shape!.length, channels);
      if (scales) last = factor.node;
      const term = follower(graph, last.outputs[0]!, add);
      const biases = term && perChannel(graph, term.constant, x.shape!.length, channels);
      if (biases) last = term.node;
      const filled = (number: number, name: string) =>
        graph.constant(
          Weight.from(tensor(x.dtype, [channels], new Array<number>(channels).fill(number))),
          name,
        );
      const operands = {
        x,
        scale: scales ?? filled(1, 'ones'),
        bias: biases ?? filled(0, 'zeros'),
      };
      const attrs = { groups, epsilon: instance.attrs.epsilon, layout: 'channelsFirst' as const };
      const { y } = graph.add(groupNormalization, operands, attrs, {
        name: last.name,
        origin: instance.origin,
      });
      y.origin = last.outputs[0]!.origin;
      graph.replaceUses(last.outputs[0]!, y);
      edits++;
    }
    return edits;
  },
);
