import { isDataDependent } from '../../graph/graph.js';
import type { Shape } from '../../tensor/dim.js';

/**
 * A shape as the attribute of a Reshape to it: one dimension that depends on data is what the
 * others leave. undefined when there are more, or when a dimension of 0 makes that ambiguous.
 */
export function reshapeTarget(shape: Shape): Shape | undefined {
  const open = shape.filter(isDataDependent).length;
  if (open === 0) return shape;
  return open === 1 && !shape.includes(0)
    ? shape.map((dim) => (isDataDependent(dim) ? -1 : dim))
    : undefined;
}
