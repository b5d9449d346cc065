import type { Diagnostic } from '../diagnostics/diagnostic.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { Report } from '../diagnostics/report.js';
import type { Model } from '../graph/model.js';
import type { Format, TensorMapping, WriteOptions } from './format.js';
import type { Sink } from './sink.js';
import type { Source } from './source.js';

/** What to convert, from which format to which. */
export interface Conversion extends WriteOptions {
  readonly from: Format;
  readonly to: Format;
  readonly source: Source;
  readonly sink: Sink;
  /** Name of the main file to write. Defaults to the target's usual name. */
  readonly path?: string | undefined;
  /** File that holds the source's weights, where it is not found by the format's own rule. */
  readonly params?: Source | undefined;
  /** Finds out what would be refused and writes nothing. */
  readonly dryRun?: boolean | undefined;
}

/** What a conversion did. */
export interface ConversionReport {
  readonly from: string;
  readonly to: string;
  readonly tensors: readonly TensorMapping[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The format of a source among those given, by content. Throws `core/unknown-format`. */
export async function detectFormat(source: Source, formats: readonly Format[]): Promise<Format> {
  for (const format of formats) if (await format.detect(source)) return format;
  throw coreDiagnostics.error('unknown-format', {
    message: `${source.name} is none of: ${formats.map(({ id }) => id).join(', ')}.`,
    origin: { file: source.name },
  });
}

/**
 * Converts a model. Everything that has no faithful form in the target is thrown at once as a
 * ConversionError, before anything is written. Within one format nothing passes through the
 * representation: the model is written again with every name, weight bit and metadatum, unless an
 * option asks for a change.
 */
export async function convert(conversion: Conversion): Promise<ConversionReport> {
  const { from, to, source, sink, params, dryRun, path = to.fileName, ...options } = conversion;
  const report = new Report();
  const tensors: TensorMapping[] = [];
  const context = {
    report,
    options,
    path,
    params,
    tensor: (mapping: TensorMapping) => void tensors.push(mapping),
  };
  const isChanged = Object.values(options).some((option) => option !== undefined);
  try {
    if (from.id === to.id && !isChanged && !dryRun) await from.copy(source, sink, context);
    else {
      const model: Model = await from.read(source, context);
      if (dryRun) await to.plan(model, context);
      else await to.write(model, sink, context);
    }
    report.throwIfErrors();
    if (!dryRun) await sink.commit();
  } catch (error) {
    await sink.abort();
    throw error;
  }
  return { from: from.id, to: to.id, tensors, diagnostics: report.diagnostics };
}
