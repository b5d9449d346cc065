import type { Graph } from '../graph/graph.js';
import { definePass } from './define-pass.js';
import { moveConstants } from './movement/constants.js';
import { removeIdentity } from './movement/identities.js';
import { isUnused, type Rule } from './movement/replacement.js';
import { liftProduct } from './movement/products.js';
import { cancelReshapes, mergeReshapes } from './movement/reshapes.js';
import { cancelReverses } from './movement/reverses.js';
import { settleSlice, sliceFilters } from './movement/slices.js';
import { composeTransposes, transposeToReshape } from './movement/transposes.js';

/** Applies rules to all nodes until none changes anything; gives the number of changes. */
function applyAll(graph: Graph, rules: readonly Rule[]): number {
  let edits = 0;
  for (;;) {
    let more = 0;
    for (const node of graph.sorted()) {
      // A change at one node may have taken out others.
      if (!isUnused(graph, node) && rules.some((rule) => rule(graph, node))) more++;
    }
    if (more === 0) return edits;
    edits += more;
  }
}

/**
 * Takes out movement of elements that comes to nothing: nodes that give their operand as it is,
 * transposes and reshapes that follow one another, and transposes that only move dimensions of 1,
 * reversals that cancel, reshapes around a product of rows; and filters of convolutions whose
 * results are cut off. What moves constants becomes steps over their handles; nothing is read.
 *
 *     h: float32[4, 3] = Transpose(w) {"perm":[1,0]}
 *     a: float32[n, 3] = MatMul(x, h)
 *     b: float32[n, 1, 3] = Unsqueeze(a) {"axes":[1]}
 *     c: float32[n, 3] = Reshape(b) {"shape":["n",3]}
 *     y: float32[3, n] = Transpose(c) {"perm":[1,0]}
 *
 * becomes, h being w with a step:
 *
 *     a: float32[n, 3] = MatMul(x, h)
 *     y: float32[3, n] = Transpose(a) {"perm":[1,0]}
 */
export const simplifyMovement = definePass(
  'simplify-movement',
  ['layout', 'composites'],
  (graph: Graph) => {
    const rules = [
      moveConstants,
      settleSlice,
      sliceFilters,
      removeIdentity,
      composeTransposes,
      cancelReshapes,
      mergeReshapes,
      liftProduct,
      cancelReverses,
    ];
    // Transposes meet one another first: as reshapes they no longer would.
    return applyAll(graph, rules) + applyAll(graph, [...rules, transposeToReshape]);
  },
);
