import { reshape } from '../../ops/reshape.js';
import { transpose } from '../../ops/transpose.js';
import { movesNothing } from '../../typing/permutation.js';
import { reshapeTarget } from './reshape-target.js';
import { replaceByNode, takeFrom, type Rule } from './replacement.js';

/**
 * Transpose of a Transpose: one Transpose, which {@link removeIdentity} takes out when they undo
 * each other.
 */
export const composeTransposes: Rule = (graph, node) => {
  if (!node.is(transpose)) return false;
  const inner = node.operands.x.producer;
  if (!inner?.is(transpose)) return false;
  node.attrs = { perm: node.attrs.perm.map((p) => inner.attrs.perm[p]!) };
  return takeFrom(graph, node, inner.operands.x);
};

/** A Transpose that only moves dimensions of size 1 moves no element: a Reshape. */
export const transposeToReshape: Rule = (graph, node) => {
  if (!node.is(transpose)) return false;
  const { x } = node.operands;
  const target = node.results.y.shape && reshapeTarget(node.results.y.shape);
  if (!x.shape || !target || !movesNothing(x.shape, node.attrs.perm)) return false;
  return replaceByNode(graph, node, reshape, { x }, { shape: target });
};
