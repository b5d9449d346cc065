import { createHash } from 'node:crypto';
import type { Source } from '@drover/core';

const chunkBytes = 2 ** 24;

/** SHA-256 of a file, lower-case hexadecimal; read in parts, however large it is. */
export async function sha256(source: Source): Promise<string> {
  const hash = createHash('sha256');
  for (let offset = 0; offset < source.size; offset += chunkBytes) {
    hash.update(await source.read({ offset, length: Math.min(chunkBytes, source.size - offset) }));
  }
  return hash.digest('hex');
}

/**
 * A source that notes which files were opened through it: the model's own file, and its weights
 * beside it.
 */
export function tracked(source: Source): {
  readonly source: Source;
  readonly opened: ReadonlyMap<string, Source>;
} {
  const opened = new Map<string, Source>();
  const track = (inner: Source): Source => {
    opened.set(inner.name, inner);
    return {
      name: inner.name,
      size: inner.size,
      read: (range) => inner.read(range),
      sibling: async (path) => track(await inner.sibling(path)),
      siblings: () => inner.siblings(),
    };
  };
  return { source: track(source), opened };
}
