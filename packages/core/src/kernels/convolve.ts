import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Layout, Sliding } from './window.js';

/** What a convolution states beside its operands. */
export interface Convolution extends Sliding {
  readonly layout: Layout;
  readonly groups: number;
}

/** Cross-correlation in float64 (see the operator Conv). */
export function convolve(x: Tensor, w: Tensor, bias: Tensor | undefined, attrs: Convolution): Tensor {
  throw coreDiagnostics.error('not-evaluable', { message: `Conv ${[x, w, bias, attrs].length}`, origin: { file: '' } });
}
