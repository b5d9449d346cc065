import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { Report } from '../diagnostics/report.js';
import type { Checkpoint } from '../model/checkpoint.js';
import type { Model } from '../model/model.js';
import type { Content, Format, ReadContext } from './format.js';
import { checkOptions, type Options, type OptionValues } from './option.js';
import type { Source } from './source.js';

/** How to read something; all of it may be left out. */
export interface OpenOptions<R extends Options = Options> {
  /** Collects findings; without one they are dropped, and errors are thrown as always. */
  readonly report?: Report;
  /** Options of the format. */
  readonly options?: OptionValues<R>;
  /** File that holds the weights, where it is not found by the format's own rule. */
  readonly params?: Source | undefined;
}

/** The format of a source among those given, by content. Throws `core/unknown-format`. */
export async function detectFormat<F extends Format>(
  source: Source,
  formats: readonly F[],
): Promise<F> {
  for (const format of formats) if ((await format.detect(source)) !== undefined) return format;
  throw coreDiagnostics.error('unknown-format', {
    message: `${source.name} is none of: ${formats.map(({ id }) => id).join(', ')}.`,
    origin: { file: source.name },
  });
}

/** The error that a format cannot do what is asked of it. */
export function incapable(format: Format, what: string, file: string) {
  return coreDiagnostics.error('incapable', {
    message: `Drover does not ${what} in ${format.title}.`,
    origin: { file },
  });
}

function contextOf<R extends Options>(
  format: Format<R>,
  { report = new Report(), options = {}, params }: OpenOptions<R>,
): ReadContext<R> {
  return { report, params, options: checkOptions(format.title, format.options.read, options) };
}

/**
 * Reads a model: every graph that the source holds, and handles to its weights. `formats` is the
 * format, or those among which the content decides. What has no canonical form stays in the graph
 * as a foreign operator with the reason. Throws `core/unknown-format`, `core/incapable`,
 * `core/option` and the errors of the format.
 */
export async function openModel<R extends Options>(
  source: Source,
  formats: Format<R> | readonly Format<R>[],
  options: OpenOptions<R> = {},
): Promise<Model> {
  const format = await oneOf(source, formats);
  if (!format.model?.read) throw incapable(format, 'read models', source.name);
  return format.model.read(source, contextOf(format, options));
}

/**
 * Reads a checkpoint: names and handles of tensors. `formats` as for {@link openModel}. Throws
 * `core/unknown-format`, `core/incapable`, `core/option` and the errors of the format.
 */
export async function openCheckpoint<R extends Options>(
  source: Source,
  formats: Format<R> | readonly Format<R>[],
  options: OpenOptions<R> = {},
): Promise<Checkpoint> {
  const format = await oneOf(source, formats);
  if (!format.checkpoint?.read) throw incapable(format, 'read checkpoints', source.name);
  return format.checkpoint.read(source, contextOf(format, options));
}

/** What a source holds; where only the caller says the format, its reader will tell. */
export async function contentOf(format: Format, source: Source): Promise<Content> {
  if (!format.checkpoint) return 'model';
  return (await format.detect(source)) ?? (format.model ? 'model' : 'checkpoint');
}

/** Whether what was read is a model; else it is a checkpoint. */
export const isModel = (content: Model | Checkpoint): content is Model => 'graphs' in content;

/** Tells that of a model's graphs only the main one is written. */
export function reportEntriesLeft({ graphs, main, file }: Model, report: Report): void {
  const left = [...graphs.keys()].filter((name) => name !== main);
  if (left.length > 0)
    report.add(
      coreDiagnostics.diagnostic('entries-left', {
        message: `Of ${graphs.size} graphs ${main} is written; ${left.join(', ')} ${left.length === 1 ? 'is' : 'are'} left.`,
        origin: { file },
      }),
    );
}

/**
 * Reads a source as what it is: a model, which has graphs, or a checkpoint. `formats` as for
 * {@link openModel}. Throws what {@link openModel} and {@link openCheckpoint} do.
 */
export async function openContent<R extends Options>(
  source: Source,
  formats: Format<R> | readonly Format<R>[],
  options: OpenOptions<R> = {},
): Promise<Model | Checkpoint> {
  const format = await oneOf(source, formats);
  const content = await contentOf(format as Format, source);
  return content === 'checkpoint'
    ? openCheckpoint(source, format, options)
    : openModel(source, format, options);
}

async function oneOf<R extends Options>(
  source: Source,
  formats: Format<R> | readonly Format<R>[],
): Promise<Format<R>> {
  return 'id' in formats ? formats : detectFormat(source, formats);
}
