import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';

/** A half-open range of bytes: `offset` from the start, `length` bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Throws `core/range` unless the range lies within `size` bytes. */
export function checkRange(name: string, size: number, { offset, length }: ByteRange): void {
  if (!(
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= size
  )) {
    throw coreDiagnostics.error('range', {
      message: `${length} bytes at ${offset} lie outside ${name} (${size} bytes).`,
      origin: { file: name, offset },
    });
  }
}
