import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { DiagnosticOrigin } from '../diagnostics/diagnostic.js';

/**
 * An array of `length` zeros. Throws `core/limit` when no array, or no memory, holds so many;
 * `what` and `origin` say whose bytes they are.
 */
export function allocateBytes(
  length: number,
  what: string,
  origin: DiagnosticOrigin,
): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch {
    throw coreDiagnostics.error('limit', {
      message: `${what} of ${length} bytes does not fit into one array.`,
      help: 'Read it in pieces (`chunks`) or in part (`slice`).',
      origin,
    });
  }
}
