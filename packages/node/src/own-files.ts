import { lstatSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DroverError, type Format } from '@drover/core';
import type { Content } from '@drover/core/format';
import { openFile } from './file-source.js';
import { filesOf } from './open-model-file.js';

type DetectingFormat = Pick<Format, 'detect' | 'files'>;

/** What a file is by itself. */
interface KnownFile {
  readonly format: DetectingFormat;
  readonly content: Content;
  readonly files: readonly string[];
}

/** What a file is as a model or a checkpoint; undefined where it is none that can be understood. */
async function knownFile(
  path: string,
  formats: readonly DetectingFormat[],
): Promise<KnownFile | undefined> {
  try {
    const source = await openFile(path);
    try {
      for (const format of formats) {
        const content = await format.detect(source);
        if (content !== undefined)
          return { format, content, files: (await format.files?.(source)) ?? [] };
      }
    } finally {
      source.close();
    }
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
  }
  return undefined;
}

function stands(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // Something on the way is no folder: whoever writes there will say so.
    return false;
  }
}

/**
 * Whether a file is called a shard of the main one: `NAME-00001-of-00002.…` of `NAME.…`, or
 * `NAME_00001.…` as Keras has it. A shard of a checkpoint is one by itself, too.
 */
function isShardOf(main: string, file: string): boolean {
  const [, prefix] = /^(.+?)(?:-\d{5}-of-\d{5}|_\d{5})\.[^/]+$/.exec(file) ?? [];
  return prefix !== undefined && main.startsWith(`${prefix}.`);
}

/** Whether a file is the weights of a model, though its format also reads them by themselves. */
const isWeightsOf = (model: KnownFile | undefined, file: KnownFile): boolean =>
  model?.content === 'model' && file.content === 'checkpoint' && file.format === model.format;

/** Such a file is the user's, whichever model names it. */
const isHidden = (path: string) => path.split('/').some((part) => part.startsWith('.'));

/**
 * The files of the model whose main file stands at `path`: the main file first, then those that it
 * names and that are of no other model in the folder, as paths relative to the folder. A model that
 * cannot be understood has its main file alone; empty where nothing stands there. This is what
 * {@link outputFile} and {@link outputFolder} may replace when that model is written anew. Throws
 * `node/cannot-read` when the folder cannot be listed.
 */
export async function ownFiles(
  path: string,
  formats: readonly Pick<Format, 'detect' | 'files'>[],
): Promise<readonly string[]> {
  if (!stands(path)) return [];
  const main = basename(path);
  const known = await knownFile(path, formats);
  const named = new Set(known?.files);
  named.delete(main);
  for (const file of named) if (isHidden(file)) named.delete(file);
  if (named.size === 0) return [main];
  for (const other of filesOf(dirname(path))) {
    if (other === main || (named.has(other) && isShardOf(main, other))) continue;
    const theirs = await knownFile(join(dirname(path), other), formats);
    if (!theirs || (named.has(other) && isWeightsOf(known, theirs))) continue;
    for (const file of [other, ...theirs.files]) named.delete(file);
  }
  return [main, ...named];
}
