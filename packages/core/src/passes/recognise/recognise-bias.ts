import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import type { Value } from '../../graph/value.js';
import { add } from '../../ops/add.js';
import { convTranspose } from '../../ops/conv-transpose.js';
import { conv } from '../../ops/conv.js';
import { channelAxis } from '../../typing/window.js';
import { definePass } from '../define-pass.js';
import { bothOrders, madeBy } from './pattern.js';

/** The convolution without a bias that makes a value, if nothing else reads it. */
function bareConvolution(
  graph: Graph,
  value: Value,
): Node<typeof conv> | Node<typeof convTranspose> | undefined {
  const node = madeBy(value, conv) ?? madeBy(value, convTranspose);
  const isAlone = value.users.size === 1 && !graph.outputs.some((output) => output.value === value);
  return node && isAlone && !node.operands.bias ? node : undefined;
}

/**
 * Whether a constant has one element for each channel of a result and is the same everywhere else.
 */
function isPerChannel({ constant, dtype, shape }: Value, result: Value, channels: number): boolean {
  const rank = result.rank;
  if (!constant || !shape || dtype !== result.dtype || rank === undefined || shape.length > rank)
    return false;
  const first = rank - shape.length;
  return (
    shape[channels - first] === result.shape?.[channels] &&
    shape.every((size, i) => size === 1 || first + i === channels)
  );
}

/**
 * What is added to each channel of a convolution becomes its bias.
 *
 *     c = Conv(x, w)
 *     y = Add(c, b)                →      y = Conv(x, w, b') @ c
 */
export const recogniseBias = definePass(
  'recognise-bias',
  ['names', 'layout', 'composites'],
  (graph) => {
    let edits = 0;
    for (const sum of graph.sorted()) {
      if (!sum.is(add)) continue;
      for (const [result, bias] of bothOrders(sum as Node)) {
        const node = bareConvolution(graph, result);
        if (
          !node ||
          result === bias ||
          !isPerChannel(bias, result, channelAxis(node.attrs.layout, result.rank ?? 0))
        )
          continue;
        const [after] = sum.outputs;
        const whole = bias.constant!.reshape([bias.constant!.shape.reduce((a, b) => a * b, 1)]);
        graph.setInput(node as Node, 2, graph.constant(whole, bias.name, bias.origin));
        [result.name, result.origin] = [after!.name, after!.origin];
        graph.replaceUses(after!, result);
        graph.remove(sum as Node);
        edits++;
        break;
      }
    }
    return edits;
  },
);
