import type { Checkpoint, Format, Source } from '@drover/core';
import type { ReadContext } from '@drover/core/format';
import { about } from './about.js';
import { isHead, sizeBytes } from './codec/decode-file.js';
import { decodeIndex, isIndexHead } from './codec/index-file.js';
import { safetensorsDiagnostics } from './diagnostics.js';
import { writeCheckpoint } from './export/write-checkpoint.js';
import { readFileCheckpoint, readIndexCheckpoint } from './import/read-checkpoint.js';

/** Bytes at the start of a file in which an index shows itself. */
const headBytes = 4096;

/** What a file of the format is, by its first bytes. */
async function kindOf(source: Source): Promise<'file' | 'index' | undefined> {
  const head = (length: number) =>
    source.read({ offset: 0, length: Math.min(length, source.size) });
  if (isHead(await head(sizeBytes + 1))) return 'file';
  return isIndexHead(new TextDecoder().decode(await head(headBytes))) ? 'index' : undefined;
}

// What is neither is read as a file, which tells what is wrong with its header.
async function readCheckpoint(source: Source, context: ReadContext): Promise<Checkpoint> {
  const read = (await kindOf(source)) === 'index' ? readIndexCheckpoint : readFileCheckpoint;
  return read(source, context);
}

/** The safetensors format: checkpoints in one file, or in shards with their index. */
export const safetensors: Format<typeof about.options.read, typeof about.options.write> = {
  ...about,
  diagnostics: [safetensorsDiagnostics],
  detect: async (source) => ((await kindOf(source)) ? 'checkpoint' : undefined),
  files: async (source) =>
    (await kindOf(source)) === 'index' ? [...(await decodeIndex(source)).shards.keys()] : [],
  checkpoint: { read: readCheckpoint, write: writeCheckpoint },
};
