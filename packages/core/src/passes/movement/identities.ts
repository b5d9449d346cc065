import type { Node } from '../../graph/node.js';
import type { Value } from '../../graph/value.js';
import { cast } from '../../ops/cast.js';
import { concat } from '../../ops/concat.js';
import { expand } from '../../ops/expand.js';
import { pad } from '../../ops/pad.js';
import { reshape } from '../../ops/reshape.js';
import { reverse } from '../../ops/reverse.js';
import { slice } from '../../ops/slice.js';
import { split } from '../../ops/split.js';
import { squeeze } from '../../ops/squeeze.js';
import { tile } from '../../ops/tile.js';
import { transpose } from '../../ops/transpose.js';
import { unsqueeze } from '../../ops/unsqueeze.js';
import { sameShape } from '../../tensor/dim.js';
import { replaceBy, type Rule } from './replacement.js';

/** Whether the result of a node is its first operand as it is. */
function isIdentity(node: Node): boolean {
  const [x, y] = [node.inputs[0], node.outputs[0]];
  if (!x || node.outputs.length !== 1) return false;
  if (node.is(transpose)) return node.attrs.perm.every((p, i) => p === i);
  if (node.is(cast)) return node.attrs.to === x.dtype;
  if (node.is(concat)) return node.inputs.length === 1;
  if (node.is(split)) return true;
  if (node.is(squeeze) || node.is(unsqueeze)) return node.attrs.axes.length === 0;
  if (node.is(pad)) return node.attrs.pads?.every((count) => count === 0) ?? false;
  if (node.is(tile)) return node.attrs.repeats?.every((count) => count === 1) ?? false;
  if (node.is(reverse)) return node.attrs.axes.every((axis) => x.shape?.[axis] === 1);
  // A slice by steps of 1 that leaves every size leaves everything.
  if (node.is(slice)) return node.attrs.steps.every((step) => step === 1) && hasShapeOf(y!, x);
  return (node.is(reshape) || node.is(expand)) && hasShapeOf(y!, x);
}

function hasShapeOf(y: Value, x: Value): boolean {
  return x.shape !== undefined && y.shape !== undefined && sameShape(x.shape, y.shape);
}

/** Takes out a node that gives its operand as it is. */
export const removeIdentity: Rule = (graph, node) =>
  isIdentity(node) && replaceBy(graph, node, node.inputs[0]!);
