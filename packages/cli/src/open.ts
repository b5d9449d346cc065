import {
  Report,
  type Diagnostic,
  type Format,
  type Model,
  type Source,
  openModel,
} from '@drover/core';
import { openFile, openModelFile } from '@drover/node';
import { formats } from '@drover/formats';
import { formatNamed, formatOf } from './formats.js';

/** Names that a folder's model file can have. */
const modelNames = formats.flatMap(({ about }) => about.fileNames.inFolder);

/** A file of the command line that is a model, not yet read. */
export interface OpenedModel {
  readonly source: Source;
  readonly format: Format;
  /** File that holds the weights, where the user names it. */
  readonly params?: Source | undefined;
}

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

/** Reads a model, and tells what reading it found. */
export async function read({
  source,
  format,
  params,
}: OpenedModel): Promise<{ readonly model: Model; readonly diagnostics: readonly Diagnostic[] }> {
  const report = new Report();
  const model = await openModel(source, format, { report, params });
  return { model, diagnostics: report.diagnostics };
}
