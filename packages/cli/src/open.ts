import type { OpenedModel } from '@drover/core';
import { formats } from '@drover/formats';
import { openFile, openModelFile } from '@drover/node';
import { formatNamed, formatOf } from './formats.js';

/** Names that a folder's model file can have. */
const modelNames = formats.map(({ about }) => about.fileNames.inFolder);

/** How the command line may say what a model is. */
export interface OpenOptions {
  readonly from?: string | undefined;
  readonly params?: string | undefined;
  /** Whether weights may lie behind links out of the folder of the model. */
  readonly allowLinks?: boolean | undefined;
}

/** Opens a model of the command line and finds its format, by content unless it is named. */
export async function open(
  path: string,
  { from, params, allowLinks = false }: OpenOptions = {},
): Promise<OpenedModel> {
  const source = await openModelFile(path, modelNames, { allowLinks });
  return {
    source,
    format: from === undefined ? await formatOf(source) : await formatNamed(from),
    ...(params !== undefined && { params: await openFile(params) }),
  };
}
