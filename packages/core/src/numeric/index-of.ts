import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';

/**
 * An index into a dimension of `size`, where negative ones count from the end. Throws
 * `core/not-evaluable` when it is outside.
 */
export function indexOf(index: number, size: number): number {
  const at = index < 0 ? index + size : index;
  if (at >= 0 && at < size) return at;
  throw coreDiagnostics.error('not-evaluable', {
    message: `The index ${index} is outside a dimension of ${size}.`,
    help: 'The model, or the data it was given, asks for an element that is not there.',
    origin: { file: '' },
  });
}
