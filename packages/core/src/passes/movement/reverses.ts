import { reverse } from '../../ops/reverse.js';
import { madeBy } from '../recognise/pattern.js';
import { replaceBy, type Rule } from './replacement.js';

/** Two reversals of the same axes come to nothing. */
export const cancelReverses: Rule = (graph, node) => {
  const inner = node.is(reverse) ? madeBy(node.inputs[0], reverse) : undefined;
  const axes = (each: { readonly attrs: unknown }) =>
    [...(each.attrs as { readonly axes: readonly number[] }).axes].sort().join();
  return (
    inner !== undefined && axes(inner) === axes(node) && replaceBy(graph, node, inner.operands.x)
  );
};
