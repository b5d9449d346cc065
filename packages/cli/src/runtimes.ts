import { DroverError, type Diagnostic, type Format } from '@drover/core';
import { referenceModel, type LoadedModel, type Runtime } from '@drover/runtimes';
import { cliDiagnostics } from './diagnostics.js';
import { read, type OpenedModel } from './open.js';

/** The runtime that each format has of its own. */
const native: ReadonlyMap<string, string> = new Map([
  ['onnx', 'onnxruntime'],
  ['tfjs', 'tfjs'],
  ['mxnet', 'mxnet'],
]);

/** A model in a runtime. */
export interface Loaded {
  /** Name of the runtime. */
  readonly id: string;
  readonly model: LoadedModel;
  readonly diagnostics: readonly Diagnostic[];
}

/** A real runtime by its name; its package is loaded now. */
async function runtimeNamed(name: string, opened: OpenedModel): Promise<Runtime> {
  const { source, format, params } = opened;
  if (name === 'tfjs') return (await import('@drover/runtimes/tfjs')).tfjs();
  const files = (await format.files?.(source)) ?? [];
  if (name === 'onnxruntime')
    return (await import('@drover/runtimes/onnxruntime')).onnxruntime({ externalData: files });
  const [own] = files;
  const weights = params ?? (own === undefined ? undefined : await source.sibling(own));
  return (await import('@drover/runtimes/mxnet')).mxnet({ ...(weights && { params: weights }) });
}

const ownOf = ({ id }: Format) => native.get(id) ?? 'reference';

/**
 * Loads a model into the runtime that is named, else into its format's own. Throws `cli/usage` when
 * the runtime does not run the format.
 */
export async function load(
  opened: OpenedModel,
  name: string = ownOf(opened.format),
): Promise<Loaded> {
  const { source, format } = opened;
  if (name !== 'reference' && name !== ownOf(format)) {
    throw cliDiagnostics.error('usage', {
      message: `${name} does not run models in ${format.id}.`,
      help: `Use ${ownOf(format)} or reference, or convert the model first.`,
      origin: { file: source.name },
    });
  }
  if (name !== 'reference')
    return {
      id: name,
      model: await (await runtimeNamed(name, opened)).load(source),
      diagnostics: [],
    };
  const { model, diagnostics } = await read(opened);
  return { id: name, model: referenceModel(model.graph, source.name), diagnostics };
}

/**
 * As {@link load} for the format's own runtime; where that is not installed, the reference
 * evaluator takes its place, with a warning.
 */
export async function loadOrReference(opened: OpenedModel): Promise<Loaded> {
  try {
    return await load(opened);
  } catch (error) {
    if (!(error instanceof DroverError) || error.diagnostics[0]?.code !== 'runtimes/not-installed')
      throw error;
    const [{ message, help }] = error.diagnostics;
    const warning = cliDiagnostics.diagnostic('runtime-absent', {
      message: `The reference evaluator ran ${opened.source.name}. ${message}`,
      help,
      origin: { file: opened.source.name },
    });
    const loaded = await load(opened, 'reference');
    return { ...loaded, diagnostics: [warning, ...loaded.diagnostics] };
  }
}
