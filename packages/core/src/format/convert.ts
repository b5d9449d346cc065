import type { Diagnostic } from '../diagnostics/diagnostic.js';
import { Report } from '../diagnostics/report.js';
import type { Model } from '../model/model.js';
import { TensorStore } from '../model/tensor-store.js';
import type { Format, ReadContext } from './format.js';
import { incapable, isModel, openContent, reportEntriesLeft } from './open.js';
import { checkOptions, type Options, type OptionValues } from './option.js';
import type { Sink } from './sink.js';
import type { Source } from './source.js';
import { writing, type WriteRequest, type WrittenMaps } from './write.js';

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

/** The model at the entry that is written. That others are left is told, unless one was named. */
function chosen(model: Model, entry: string | undefined, report: Report): Model {
  if (entry !== undefined) return model.at(entry);
  reportEntriesLeft(model, report);
  return model;
}

/** Takes everything and keeps nothing: what a copy or a checkpoint is refused for shows there. */
const nowhere: Sink = {
  create: async () => ({ write: async () => {}, close: async () => {} }),
  commit: async () => {},
  abort: async () => {},
};

/**
 * Converts a model into a model, or into a checkpoint where the target holds no graphs or the
 * tensors are edited; or a checkpoint into a checkpoint. Everything that has no faithful form in
 * the target is thrown at once as a ConversionError, before anything is written. Within one format
 * nothing passes through the representation: the model is written again with every name, weight bit
 * and metadatum, unless something asks for a change.
 */
export async function convert<R extends Options, W extends Options>(
  conversion: Conversion<R, W>,
): Promise<ConversionReport> {
  const { from, to, source, sink, params, entry, edit, dryRun = false } = conversion;
  const report = new Report();
  try {
    const options = checkOptions(from.title, from.options.read, conversion.read ?? {});
    const reading: ReadContext<R> = { report, options, params };
    const { context, maps } = writing(conversion, report);
    const into = dryRun ? nowhere : sink;
    let store = new TensorStore();
    if (isCopy(conversion as Conversion<Options, Options>)) {
      await from.copy!(source, into, { ...context, ...reading } as never);
    } else {
      const read = await openContent(source, from, reading);
      const { plan, write } = to.model ?? {};
      if (isModel(read) && plan && write && !edit) {
        const model = chosen(read, entry, report);
        store = model.store;
        if (dryRun) await plan(model, context);
        else await write(model, sink, context);
      } else if (to.checkpoint?.write) {
        const { format, versions, file } = read;
        store = edit ? await edit(read.store, report) : read.store;
        await to.checkpoint.write({ store, format, versions, file }, into, context);
      } else
        throw incapable(
          to,
          isModel(read) && !edit ? 'write models' : 'write checkpoints',
          context.path,
        );
    }
    report.throwIfErrors();
    if (!dryRun) await sink.commit();
    return { from: from.id, to: to.id, ...maps(store), diagnostics: report.diagnostics };
  } catch (error) {
    await sink.abort();
    throw error;
  }
}
