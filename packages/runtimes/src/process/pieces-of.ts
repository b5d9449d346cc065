import type { ByteSource } from '@drover/core';

/** Bytes of a file that are in memory at once. */
const pieceBytes = 2 ** 22;

/** All of a file, in pieces. */
export async function* piecesOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < source.size; offset += pieceBytes)
    yield await source.read({ offset, length: Math.min(pieceBytes, source.size - offset) });
}
