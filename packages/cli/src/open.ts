import type { OpenedModel } from '@drover/core';
import { openFile, openModel } from '@drover/node';
import { formatNamed, formatOf } from './formats.js';

/** How the command line may say what a model is. */
export interface OpenOptions {
  readonly from?: string | undefined;
  readonly params?: string | undefined;
}

/** Opens a model of the command line and finds its format, by content unless it is named. */
export async function open(path: string, { from, params }: OpenOptions = {}): Promise<OpenedModel> {
  const source = await openModel(path);
  return {
    source,
    format: from === undefined ? await formatOf(source) : await formatNamed(from),
    ...(params !== undefined && { params: await openFile(params) }),
  };
}
