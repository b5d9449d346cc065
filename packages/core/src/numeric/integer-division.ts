import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';

/**
 * The divisor of an integer division. Throws `core/not-evaluable` when it is zero: what then comes
 * out differs between processors.
 */
export function nonZero<T extends number | bigint>(divisor: T): T {
  if (divisor == 0)
    throw coreDiagnostics.error('not-evaluable', {
      message: 'An integer is divided by zero.',
      origin: { file: '' },
    });
  return divisor;
}
