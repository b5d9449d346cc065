import type { DiagnosticOrigin } from '@drover/core';
import { Crc, crc32cCode, type ByteCheck } from '@drover/core/format';
import { tensorflowDiagnostics } from '../diagnostics.js';

/**
 * A CRC as files hold it: turned by 15 bits and shifted, so that the CRC of bytes that hold CRCs is
 * no trivial one (tensorflow/core/lib/hash/crc32c.h).
 */
export const maskCrc = (sum: number): number => (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;

/** The masked CRC-32C of bytes. */
export function maskedCrcOf(...pieces: readonly Uint8Array[]): number {
  const sum = new Crc(crc32cCode);
  for (const piece of pieces) sum.add(piece);
  return maskCrc(sum.value);
}

/** Throws `tensorflow/checksum` unless a masked CRC is the one that was stored. */
export function compareCrc(found: number, stored: number, what: string, origin: DiagnosticOrigin) {
  if (found === stored) return;
  throw tensorflowDiagnostics.error('checksum', {
    message: `${what} does not have its CRC.`,
    origin,
  });
}

/** Holds the bytes of a tensor against the masked CRC that was stored with it. */
export const crcCheck = (stored: number, what: string, origin: DiagnosticOrigin): ByteCheck => ({
  begin() {
    const sum = new Crc(crc32cCode);
    return {
      add: (bytes) => sum.add(bytes),
      end: () => compareCrc(maskCrc(sum.value), stored, what, origin),
    };
  },
});
