import type { Shape } from '@drover/core';
import type { TensorShape } from '../codec/graph-def.js';

/** A shape as signatures and placeholders declare it: -1 for what is known only when the model runs. */
export function shape(dims: Shape | undefined): TensorShape {
  return { dims: dims ? dims.map((dim) => (typeof dim === 'number' ? dim : -1)) : null };
}
