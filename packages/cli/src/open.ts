import { detectFormat, Report, type Format, type Model, type Source } from '@drover/core';
import { openFile, openModel } from '@drover/node';
import { formatNamed, formats } from './formats.js';

/** A model of the command line: its file, its format, and what reading it found. */
export interface OpenedModel {
  readonly source: Source;
  readonly format: Format;
  readonly report: Report;
  readonly model: Model;
}

/** Opens the file of a model and finds its format, by content unless it is named. */
export async function openSource(path: string, from?: string): Promise<{ readonly source: Source; readonly format: Format }> {
  const source = await openModel(path);
  return { source, format: from === undefined ? await detectFormat(source, formats) : formatNamed(from) };
}

/** Reads the model of a file or folder. */
export async function readModel(path: string, options: { readonly from?: string; readonly params?: string } = {}): Promise<OpenedModel> {
  const { source, format } = await openSource(path, options.from);
  const report = new Report();
  const params = options.params === undefined ? undefined : await openFile(options.params);
  return { source, format, report, model: await format.read(source, { report, params }) };
}
