import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import { Report } from '../diagnostics/report.js';
import type { Model } from '../model/model.js';
import { TensorStore } from '../model/tensor-store.js';
import type { Content, Format, ReadContext } from './format.js';
import { contentOf, incapable, openContent, openModel, reportEntriesLeft } from './open.js';
import { checkOptions, type Options, type OptionValues } from './option.js';
import type { Sink } from './sink.js';
import type { Source } from './source.js';
import { writing, type WriteRequest, type WrittenMaps } from './write.js';
import { writtenContent } from './written-content.js';

/** What to convert, from which format to which. */
export interface Conversion<R extends Options, W extends Options> extends WriteRequest<W> {
  readonly from: Format<R>;
  readonly source: Source;
  readonly sink: Sink;
  /** Options of the source's format. */
  readonly read?: OptionValues<R> | undefined;
  /** File that holds the source's weights, where it is not found by the format's own rule. */
  readonly params?: Source | undefined;
  /** The graph to write, where the source holds several. Defaults to its main one. */
  readonly entry?: string | undefined;
  /** Finds out what would be refused and writes nothing. */
  readonly dryRun?: boolean | undefined;
  /** Goes through the representation within one format, too. */
  readonly rewrite?: boolean | undefined;
  /** Changes the tensors that are written, where what is written is a checkpoint. */
  readonly edit?: ((store: TensorStore, report: Report) => Promise<TensorStore>) | undefined;
}

/** What a conversion did. */
export interface ConversionReport extends WrittenMaps {
  readonly from: string;
  readonly to: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Whether a conversion can be a copy: the format stays, and nothing asks for a change. */
function isCopy({
  from,
  to,
  options = {},
  entry,
  rewrite,
  edit,
}: Conversion<Options, Options>): boolean {
  const isChanged = Object.values(options).some((option) => option !== undefined);
  return from.id === to.id && from.copy !== undefined && !isChanged && !entry && !rewrite && !edit;
}

/** A checkpoint has no graphs to choose among. Throws `core/no-entry`. */
function checkEntry(entry: string | undefined, content: Content, file: string): void {
  if (entry !== undefined && content === 'checkpoint')
    throw coreDiagnostics.error('no-entry', {
      message: `${JSON.stringify(entry)} would be a graph, and a checkpoint is written, which has none.`,
      help: 'Leave --entry out: a checkpoint has the tensors of all graphs.',
      origin: { file },
    });
}

/** The model at the entry that is written. That others are left is told, unless one was named. */
function chosen(model: Model, entry: string | undefined, report: Report): Model {
  if (entry !== undefined) return model.at(entry);
  reportEntriesLeft(model, report);
  return model;
}

/** The error that a source of weights alone is to become something else. */
const weightsAlone = (to: Format, file: string) =>
  coreDiagnostics.error('incapable', {
    message: `${file} holds weights alone, and Drover does not write checkpoints in ${to.title}.`,
    help: '`drover weights apply` carries them into a model.',
    origin: { file },
  });

/** Takes everything and keeps nothing: what a copy or a checkpoint is refused for shows there. */
const nowhere: Sink = {
  create: async () => ({ write: async () => {}, close: async () => {} }),
  commit: async () => {},
  abort: async () => {},
};

/**
 * Converts a model into a model, or into a checkpoint where the target holds no graphs, the path is
 * the name of one, or the tensors are edited; or a checkpoint into a checkpoint. Everything that
 * has no faithful form in the target is thrown at once as a ConversionError, before anything is
 * written. Within one format nothing passes through the representation: the model is written again
 * with every name, weight bit and metadatum, unless something asks for a change.
 */
export async function convert<R extends Options, W extends Options>(
  conversion: Conversion<R, W>,
): Promise<ConversionReport> {
  const { from, to, source, sink, params, entry, edit, path, dryRun = false } = conversion;
  const report = new Report();
  try {
    const options = checkOptions(from.title, from.options.read, conversion.read ?? {});
    const reading: ReadContext<R> = { report, options, params };
    const content = await contentOf(from as Format, source);
    const target = writtenContent(to as Format, edit ? 'checkpoint' : content, path);
    checkEntry(entry, target, source.name);
    const { context, maps } = writing(conversion, target, report);
    const into = dryRun ? nowhere : sink;
    let store = new TensorStore();
    if (content === target && isCopy(conversion as Conversion<Options, Options>)) {
      await from.copy!(source, into, { ...context, ...reading } as never);
    } else if (target === 'model') {
      const model = chosen(await openModel(source, from, reading), entry, report);
      store = model.store;
      if (dryRun) await to.model!.plan!(model, context);
      else await to.model!.write!(model, sink, context);
    } else {
      if (!to.checkpoint?.write)
        throw content === 'checkpoint'
          ? weightsAlone(to, source.name)
          : incapable(to, edit ? 'write checkpoints' : 'write models', context.path);
      const { store: read, format, versions, file } = await openContent(source, from, reading);
      store = edit ? await edit(read, report) : read;
      await to.checkpoint.write({ store, format, versions, file }, into, context);
    }
    report.throwIfErrors();
    if (!dryRun) await sink.commit();
    return { from: from.id, to: to.id, ...maps(store), diagnostics: report.diagnostics };
  } catch (error) {
    await sink.abort();
    throw error;
  }
}
