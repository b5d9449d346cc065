import type { Diagnostic } from '../diagnostics/diagnostic.js';
import { Report } from '../diagnostics/report.js';
import type { Checkpoint } from '../model/checkpoint.js';
import type { Model } from '../model/model.js';
import type { TensorStore } from '../model/tensor-store.js';
import type { Content, Format, WriteContext } from './format.js';
import { incapable } from './open.js';
import { checkOptions, type Options, type OptionValues } from './option.js';
import type { Sink } from './sink.js';
import type { TensorMapping } from './tensor-map.js';
import type { ValueMapping } from './value-map.js';
import { checkContentName, usualName } from './written-content.js';

/** How to write something, beside what and where to. */
export interface WriteRequest<W extends Options> {
  readonly to: Format<Options, W>;
  /** Name of the main file to write. Defaults to the format's usual name of what is written. */
  readonly path?: string | undefined;
  /** Options of the format. */
  readonly options?: OptionValues<W> | undefined;
  /** Collects findings as they are made, also those of a write that fails. */
  readonly report?: Report | undefined;
}

/** What holds what of the source in the target. */
export interface WrittenMaps {
  readonly tensors: readonly TensorMapping[];
  readonly values: readonly ValueMapping[];
  /**
   * Parameters and buffers of the source, by name, that no tensor of the target holds: nodes state
   * their elements, or nothing that is left needs them.
   */
  readonly unmapped: readonly string[];
}

/** What was written, or would be. */
export interface WriteReport extends WrittenMaps {
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * What a writer of a model or a checkpoint is given, and the maps that it has told, of the tensors
 * of a store. Throws `core/option`, and `core/incapable` for a path that says the other content.
 */
export function writing<W extends Options>(
  { to, path: given, options = {} as OptionValues<W> }: WriteRequest<W>,
  content: Content,
  report: Report,
): { readonly context: WriteContext<W>; maps(store: TensorStore): WrittenMaps } {
  const path = given ?? usualName(to, content);
  checkContentName(to, content, path);
  const tensors: TensorMapping[] = [];
  const values: ValueMapping[] = [];
  const context: WriteContext<W> = {
    report,
    options: checkOptions(to.title, to.options.write, options),
    path,
    tensor: (mapping) => void tensors.push(mapping),
    value: (mapping) => void values.push(mapping),
  };
  const maps = (store: TensorStore) => ({ tensors, values, unmapped: unmapped(store, tensors) });
  return { context, maps };
}

function unmapped(store: TensorStore, tensors: readonly TensorMapping[]): readonly string[] {
  const mapped = new Set(tensors.map(({ source }) => source));
  return [...store]
    .filter(({ role }) => role === 'parameter' || role === 'buffer')
    .filter(({ name, aliases }) => ![name, ...aliases].some((each) => mapped.has(each)))
    .map(({ name }) => name);
}

/** Writes into the sink of a request, all or nothing. */
async function written<W extends Options>(
  request: WriteRequest<W> & { readonly sink: Sink },
  content: Content,
  store: () => TensorStore,
  write: (sink: Sink, context: WriteContext<W>) => Promise<void>,
): Promise<WriteReport> {
  const { sink, report = new Report() } = request;
  try {
    const { context, maps } = writing(request, content, report);
    await write(sink, context);
    report.throwIfErrors();
    await sink.commit();
    return { ...maps(store()), diagnostics: report.diagnostics };
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

/**
 * Writes a model. Throws a ConversionError with everything that has no faithful form in the target
 * before it writes anything, `core/incapable` when the format writes no models, and `core/option`.
 */
export function writeModel<W extends Options>(
  model: Model,
  request: WriteRequest<W> & { readonly sink: Sink },
): Promise<WriteReport> {
  return written(
    request,
    'model',
    () => model.store,
    async (sink, context) => {
      const { to } = request;
      if (!to.model?.write) throw incapable(to, 'write models', context.path);
      await to.model.write(model, sink, context);
    },
  );
}

/**
 * Writes a checkpoint. Throws `core/incapable` when the format writes none, `core/option`, and a
 * ConversionError with everything that the format cannot hold.
 */
export function writeCheckpoint<W extends Options>(
  checkpoint: Checkpoint,
  request: WriteRequest<W> & { readonly sink: Sink },
): Promise<WriteReport> {
  return written(
    request,
    'checkpoint',
    () => checkpoint.store,
    async (sink, context) => {
      const { to } = request;
      if (!to.checkpoint?.write) throw incapable(to, 'write checkpoints', context.path);
      await to.checkpoint.write(checkpoint, sink, context);
    },
  );
}

/**
 * Finds what {@link writeModel} would refuse, as diagnostics: nothing is thrown for it, no weight
 * is read and no byte written.
 */
export async function planModel<W extends Options>(
  model: Model,
  request: WriteRequest<W>,
): Promise<WriteReport> {
  const { report = new Report() } = request;
  const { context, maps } = writing(request, 'model', report);
  if (!request.to.model?.plan) throw incapable(request.to, 'write models', context.path);
  await request.to.model.plan(model, context);
  return { ...maps(model.store), diagnostics: report.diagnostics };
}
