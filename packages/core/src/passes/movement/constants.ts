import type { Node } from '../../graph/node.js';
import { permutedOrigin, type ValueOrigin } from '../../graph/origin.js';
import type { Value } from '../../graph/value.js';
import { knownNumbers } from '../../typing/moved-elements.js';
import { sliceRange } from '../../typing/slice-bounds.js';
import { concat } from '../../ops/concat.js';
import { gather } from '../../ops/gather.js';
import { reshape } from '../../ops/reshape.js';
import { reverse } from '../../ops/reverse.js';
import { slice } from '../../ops/slice.js';
import { split } from '../../ops/split.js';
import { squeeze } from '../../ops/squeeze.js';
import { transpose } from '../../ops/transpose.js';
import { unsqueeze } from '../../ops/unsqueeze.js';
import { isStatic } from '../../tensor/dim.js';
import { maxParts, Weight } from '../../tensor/weight.js';
import { isOutput, type Rule } from './replacement.js';

/**
 * The results of a node that moves constants, as steps over their handles; undefined where such
 * steps do not exist. Nothing is read.
 */
function moved(node: Node): readonly Weight[] | undefined {
  const weight = node.inputs[0]?.constant;
  const { shape } = node.outputs[0]!;
  if (!weight || !shape || !isStatic(shape)) return undefined;
  if (node.is(reshape) || node.is(squeeze) || node.is(unsqueeze)) return [weight.reshape(shape)];
  // Texts have no fixed size, so steps cannot move them.
  if (weight.dtype === 'string') return undefined;
  if (node.is(transpose)) return [weight.transpose(node.attrs.perm)];
  if (node.is(reverse)) return [node.attrs.axes.reduce((w, axis) => w.reverse(axis), weight)];
  if (node.is(concat)) {
    const parts = node.operands.inputs.flatMap(({ constant }) => (constant ? [constant] : []));
    return parts.length === node.inputs.length &&
      parts.reduce((sum, { partCount }) => sum + partCount, 0) <= maxParts
      ? [Weight.concat(parts, node.attrs.axis)]
      : undefined;
  }
  if (node.is(split)) {
    const { axis, sizes } = node.attrs;
    if (!isStatic(sizes)) return undefined;
    return sizes.map((size, i) =>
      weight.slice(
        axis,
        sizes.slice(0, i).reduce((a, b) => a + b, 0),
        size,
      ),
    );
  }
  if (node.is(gather)) {
    const [index, ...more] = knownNumbers(node.operands.indices.type) ?? [];
    const size = weight.shape[node.attrs.axis]!;
    if (index === undefined || more.length > 0 || index < -size || index >= size) return undefined;
    return [weight.slice(node.attrs.axis, index < 0 ? index + size : index, 1).reshape(shape)];
  }
  return node.is(slice) ? sliced(node, weight) : undefined;
}

function sliced(node: Node<typeof slice>, weight: Weight): readonly Weight[] | undefined {
  const { axes, starts, ends, steps } = node.attrs;
  if (
    !starts ||
    !ends ||
    !isStatic(starts) ||
    !isStatic(ends) ||
    steps.some((step) => Math.abs(step) !== 1)
  )
    return undefined;
  let result = weight;
  axes.forEach((axis, i) => {
    const { first, count } = sliceRange(weight.shape[axis]!, starts[i]!, ends[i]!, steps[i]!);
    result =
      steps[i]! > 0
        ? result.slice(axis, count && first, count)
        : result.slice(axis, count && first - count + 1, count).reverse(axis);
  });
  return [result];
}

/** Where a moved constant comes from: a transposed one remembers how. */
function originOf(node: Node, result: Value): ValueOrigin | undefined {
  const from = node.inputs[0]!.origin;
  return from && node.is(transpose) ? permutedOrigin(from, node.attrs.perm) : result.origin;
}

/** A node that moves constants becomes constants: steps over their handles. */
export const moveConstants: Rule = (graph, node) => {
  if (node.outputs.every((value) => value.users.size === 0 && !isOutput(graph, value)))
    return false;
  const weights = moved(node);
  if (!weights) return false;
  node.outputs.forEach((value, i) =>
    graph.replaceUses(value, graph.constant(weights[i]!, value.name, originOf(node, value))),
  );
  graph.remove(node);
  return true;
};
