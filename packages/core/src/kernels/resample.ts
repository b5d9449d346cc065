import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Tensor } from '../tensor/tensor.js';

/** What a resampling states beside the sizes of its result (see the operator Resize). */
export interface Resampling {
  readonly axes: readonly number[];
  readonly mode: 'nearest' | 'linear' | 'cubic';
  readonly coordinates: 'halfPixel' | 'halfPixelSymmetric' | 'pytorchHalfPixel' | 'alignCorners' | 'asymmetric' | 'tfHalfPixelNearest';
  readonly nearest: 'roundPreferFloor' | 'roundPreferCeil' | 'floor' | 'ceil';
  readonly cubicCoefficient: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
  readonly scales: readonly number[] | null;
}

/** Resamples a tensor in float64. */
export function resample(x: Tensor, sizes: readonly number[], attrs: Resampling): Tensor {
  throw coreDiagnostics.error('not-evaluable', { message: `Resize ${[x, sizes, attrs].length}`, origin: { file: '' } });
}
