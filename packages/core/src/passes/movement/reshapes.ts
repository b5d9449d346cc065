import type { Node } from '../../graph/node.js';
import type { Value } from '../../graph/value.js';
import { reshape } from '../../ops/reshape.js';
import { squeeze } from '../../ops/squeeze.js';
import { unsqueeze } from '../../ops/unsqueeze.js';
import { sameShape } from '../../tensor/dim.js';
import { replaceBy, replaceByNode, takeFrom, type Rule } from './replacement.js';
import { reshapeTarget } from './reshape-target.js';

/** Whether a node gives the elements of its first operand in their order. */
function keepsOrder(node: Node | undefined): node is Node {
  return node !== undefined && (node.is(reshape) || node.is(squeeze) || node.is(unsqueeze));
}

/** The value at the far end of a chain of nodes that keep the order of elements. */
function root(value: Value): Value {
  let at = value;
  while (keepsOrder(at.producer)) at = at.producer.inputs[0]!;
  return at;
}

/** The number that stands at place `index` among those that are not in the list. */
function nthOutside(list: readonly number[], index: number): number {
  let place = -1;
  for (let left = index; left >= 0; left--)
    do place++;
    while (list.includes(place));
  return place;
}

/** The axes of a Squeeze or Unsqueeze. */
const axesOf = (node: Node) => (node.attrs as { readonly axes: readonly number[] }).axes;

const sorted = (axes: readonly number[]) => [...axes].sort((a, b) => a - b);

/**
 * A chain of Reshape, Squeeze and Unsqueeze that comes back to the shape that it began with goes.
 */
export const cancelReshapes: Rule = (graph, node) => {
  if (!keepsOrder(node)) return false;
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const inner = x.producer;
  const isPair =
    (node.is(squeeze) && inner?.is(unsqueeze)) || (node.is(unsqueeze) && inner?.is(squeeze));
  if (isPair && sorted(axesOf(node)).join() === sorted(axesOf(inner!)).join())
    return replaceBy(graph, node, inner!.inputs[0]!);
  for (let at = x; keepsOrder(at.producer);) {
    at = at.producer.inputs[0]!;
    if (at.shape && y.shape && sameShape(at.shape, y.shape)) return replaceBy(graph, node, at);
  }
  return false;
};

/** Several nodes that keep the order of elements become one. */
export const mergeReshapes: Rule = (graph, node) => {
  if (!keepsOrder(node)) return false;
  const inner = node.inputs[0]!.producer;
  if (!keepsOrder(inner)) return false;
  if (node.is(reshape)) return takeFrom(graph, node, root(inner.inputs[0]!));
  if (node.op === inner.op) {
    // Axes of the smaller shape count the dimensions that the axes of the larger one leave.
    const [smaller, larger] = node.is(squeeze) ? [node, inner] : [inner, node];
    const axes = [
      ...axesOf(larger),
      ...axesOf(smaller).map((axis) => nthOutside(axesOf(larger), axis)),
    ];
    node.attrs = { axes: sorted(axes) };
    return takeFrom(graph, node, inner.inputs[0]!);
  }
  const shape = inner.is(reshape) ? node.outputs[0]!.shape : undefined;
  const target = shape && reshapeTarget(shape);
  return (
    target !== undefined &&
    replaceByNode(graph, node, reshape, { x: root(inner.inputs[0]!) }, { shape: target })
  );
};
