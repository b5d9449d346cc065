import type { Report } from '../diagnostics/report.js';
import type { Format } from '../format/format.js';
import type { Source } from '../format/source.js';
import { openModel } from '../format/open.js';
import type { Model } from '../model/model.js';

/** The files of a model. */
export interface ModelFiles {
  /** The main file; weights are found beside it, as the framework finds them. */
  readonly source: Source;
  /** File that holds the weights, where the framework's own rule does not find it. */
  readonly params?: Source | undefined;
}

/** A model of a known format that is not read yet. */
export interface OpenedModel extends ModelFiles {
  readonly format: Format;
}

/** Reads a model; `report` collects what reading it finds. Throws what the format throws. */
export function readModel({ format, source, params }: OpenedModel, report: Report): Promise<Model> {
  return openModel(source, format, { report, params });
}
