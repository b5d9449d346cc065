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

const sorted = (axes: readonly number[]) => [...axes].sort((a, b) => a - b);

/** A chain of Reshape, Squeeze and Unsqueeze that comes back to the shape that it began with goes. */
export const cancelReshapes: Rule = (graph, node) => {
  if (!keepsOrder(node)) return false;
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const inner = x.producer;
  const undoes =
    (node.is(squeeze) && inner?.is(unsqueeze) && sorted(node.attrs.axes).join() === sorted(inner.attrs.axes).join()) ||
    (node.is(unsqueeze) && inner?.is(squeeze) && sorted(node.attrs.axes).join() === sorted(inner.attrs.axes).join());
  if (undoes) return replaceBy(graph, node, inner!.inputs[0]!);
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
  if ((node.is(squeeze) && inner.is(squeeze)) || (node.is(unsqueeze) && inner.is(unsqueeze))) {
    // The one list counts dimensions of a shape from which the other has taken some: the ones of the larger shape are those that it left.
    const [smaller, larger] = node.is(squeeze) ? [node.attrs.axes, inner.attrs.axes] : [inner.attrs.axes, node.attrs.axes];
    node.attrs = { axes: sorted([...larger, ...smaller.map((axis) => nthOutside(larger, axis))]) };
    return takeFrom(graph, node, inner.operands.x);
  }
  const shape = inner.is(reshape) ? node.outputs[0]!.shape : undefined;
  const target = shape && reshapeTarget(shape);
  return target !== undefined && replaceByNode(graph, node, reshape, { x: root(inner.inputs[0]!) }, { shape: target });
};
