import type { Graph, Node } from '@drover/core';
import { suitsSizes } from '@drover/core/format';
import type { Sizes } from './sizes.js';

/**
 * Tells whether sizes of the free dimensions suit a graph, as far as its own expressions and the
 * constraints of its operators tell without evaluating it. The node that failed is asked first the
 * next time, which makes a search cheap.
 */
export class ShapeCheck {
  readonly #nodes: Node[];

  constructor(graph: Graph) {
    this.#nodes = [...graph.nodes].filter((node) =>
      [...node.inputs, ...node.outputs].some((value) =>
        value?.shape?.some((dim) => typeof dim !== 'number'),
      ),
    );
  }

  /** Whether the sizes, by symbol, suit every node. */
  suits(sizes: Sizes): boolean {
    const at = this.#nodes.findIndex((node) => !suitsSizes(node, sizes));
    if (at < 0) return true;
    this.#nodes.unshift(...this.#nodes.splice(at, 1));
    return false;
  }
}
