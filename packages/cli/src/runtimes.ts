import type { Format, Source } from '@drover/core';
import { reference, type LoadedModel, type Runtime } from '@drover/runtimes';
import { cliDiagnostics } from './diagnostics.js';
import { formats } from './formats.js';

/** The runtime that each format has of its own. */
const native: Readonly<Record<string, string>> = { onnx: 'onnxruntime', tfjs: 'tfjs', mxnet: 'mxnet' };

/** Names that --runtime takes. */
export const runtimeNames = ['reference', 'onnxruntime', 'tfjs', 'mxnet'] as const;

/** A runtime by its name; its package is loaded now. */
export async function runtimeNamed(name: string): Promise<Runtime> {
  if (name === 'onnxruntime') return (await import('@drover/runtimes/onnxruntime')).onnxruntime();
  if (name === 'tfjs') return (await import('@drover/runtimes/tfjs')).tfjs();
  if (name === 'mxnet') return (await import('@drover/runtimes/mxnet')).mxnet();
  if (name === 'reference') return reference(formats);
  throw cliDiagnostics.error('usage', { message: `There is no runtime ${JSON.stringify(name)}; there are ${runtimeNames.join(', ')}.`, origin: { file: '' } });
}

/** Loads a model into a runtime: the one that is named, else its format's own. */
export async function load(source: Source, format: Format, name?: string): Promise<{ readonly id: string; readonly loaded: LoadedModel }> {
  const id = name ?? native[format.id] ?? 'reference';
  if (id !== 'reference' && id !== native[format.id]) {
    throw cliDiagnostics.error('usage', { message: `${id} does not run models of the format ${format.id}.`, origin: { file: source.name } });
  }
  return { id, loaded: await (await runtimeNamed(id)).load(source) };
}
