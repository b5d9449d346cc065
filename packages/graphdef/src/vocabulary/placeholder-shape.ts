import type { Shape } from '@drover/core';
import type { TensorShape } from '../codec/graph-def.js';

/**
 * A shape as signatures and placeholders declare it: -1 for what is known only when the model runs,
 * and for a dimension of 0, which the JSON form leaves out as the default and TF.js 4.22 then takes
 * for NaN.
 */
export function shape(dims: Shape | undefined): TensorShape {
  return {
    dims: dims ? dims.map((dim) => (typeof dim === 'number' && dim !== 0 ? dim : -1)) : null,
  };
}
