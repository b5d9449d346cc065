import type { Graph } from '../graph/graph.js';
import { permutedOrigin } from '../graph/origin.js';
import { transpose } from '../ops/transpose.js';
import { inverse, permutationTo, permuted } from '../typing/permutation.js';
import type { Layout } from '../typing/window.js';
import { imageInputs } from './layout/assign-layout.js';
import { definePass } from './define-pass.js';

/**
 * Changes the signature: image inputs are declared in another layout, and permuted back at once.
 * Which inputs are images follows from the operators that use them.
 *
 *     (%x: float32[1, 3, 8, 8]) %y = Conv(%x, %w) {layout: "channelsFirst"} // target channelsLast
 *     (%x: float32[1, 8, 8, 3]) %t = Transpose(%x) {perm: [0, 3, 1, 2]};
 *       %y = Conv(%t, %w) {layout: "channelsFirst"}
 */
export const setInputLayout = definePass<{ readonly layout: Layout }>(
  'set-input-layout',
  ['names', 'composites'],
  (graph: Graph, { layout }) => {
    if (graph.parent) return 0;
    const images = imageInputs(graph, layout);
    for (const input of images) {
      const perm = permutationTo(layout, input.rank!);
      const shape = input.shape!;
      input.shape = permuted(shape, perm);
      const { y } = graph.add(
        transpose,
        { x: input },
        { perm: inverse(perm) },
        { name: `${input.name}/transpose` },
      );
      y.origin = input.origin;
      input.origin = input.origin && permutedOrigin(input.origin, perm);
      for (const node of [...input.users]) {
        if (node !== y.producer)
          node.inputs.forEach((value, i) => value === input && graph.setInput(node, i, y));
      }
      for (const output of graph.outputs) if (output.value === input) output.value = y;
    }
    return images.size;
  },
);
