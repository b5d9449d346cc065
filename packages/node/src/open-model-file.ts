import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { memorySource, type Source } from '@drover/core';
import { isNamed } from '@drover/core/format';
import { nodeDiagnostics } from './diagnostics.js';
import {
  isFolder,
  openFile,
  systemCode,
  type FileSource,
  type OpenOptions,
} from './file-source.js';

/**
 * Opens the main file of a model: a file, a folder that holds exactly one, or `-` for standard
 * input, which is read to its end into memory. `names` are the names that such a file can have, a
 * list for each format (its `fileNames.inFolder`): of a list the first name that is there counts.
 * Throws `node/ambiguous-model`, `node/no-model`, `core/missing-file` or `node/cannot-read`.
 */
export async function openModelFile(
  path: string,
  names: readonly (readonly string[])[],
  options: OpenOptions = {},
): Promise<FileSource> {
  if (path === '-') return readStandardInput();
  if (!isFolder(path)) return openFile(path, options);
  const files = filesOf(path);
  const found = names.flatMap((patterns) => {
    const first = patterns.find((each) => files.some((name) => isNamed(name, [each])));
    return first === undefined ? [] : files.filter((name) => isNamed(name, [first]));
  });
  const [name] = found;
  const origin = { file: path };
  if (name === undefined)
    throw nodeDiagnostics.error('no-model', {
      message: `The folder ${JSON.stringify(path)} holds no model.`,
      origin,
    });
  if (found.length > 1) {
    const message = `The folder ${JSON.stringify(path)} holds ${found.length} models: ${found.join(', ')}.`;
    throw nodeDiagnostics.error('ambiguous-model', { message, origin });
  }
  return openFile(join(path, name), options);
}

/** Names in a folder, sorted. Throws `node/cannot-read`. */
export function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    const message = `The folder ${JSON.stringify(folder)} cannot be listed (${systemCode(error)}).`;
    throw nodeDiagnostics.error('cannot-read', { message, origin: { file: folder } });
  }
}

/**
 * Standard input, read to its end, as a source named `-` without siblings. Throws
 * `node/cannot-read`, and `node/stream-size` past an array's size.
 */
export async function readStandardInput(
  input: AsyncIterable<Uint8Array | string> = process.stdin,
): Promise<FileSource> {
  const chunks: Uint8Array[] = [];
  const origin = { file: '-' };
  try {
    for await (const chunk of input)
      chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  } catch (error) {
    throw nodeDiagnostics.error('cannot-read', {
      message: `Reading standard input failed (${systemCode(error)}).`,
      origin,
    });
  }
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(size);
  } catch {
    throw nodeDiagnostics.error('stream-size', {
      message: `${size} bytes of standard input do not fit into memory.`,
      origin,
    });
  }
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  const source: Source = memorySource('-', new Map([['-', bytes]]));
  return { ...source, close: () => {} };
}
