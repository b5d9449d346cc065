import type { Runtime } from '@drover/core';

/** A runtime whose adapter is loaded when it loads a model. */
function lazy(
  id: string,
  formats: readonly string[] | undefined,
  adapter: () => Promise<Runtime>,
): Runtime {
  return {
    id,
    formats,
    load: async (model, report) => (await adapter()).load(model, report),
  };
}

/**
 * Every runtime, the one to prefer for a format before others that run it. Nothing of a runtime is
 * loaded before it loads a model.
 */
export const runtimes: readonly Runtime[] = [
  lazy('onnxruntime', ['onnx'], async () => (await import('./onnxruntime.js')).onnxruntime()),
  lazy('tfjs', ['tfjs'], async () => (await import('./tfjs.js')).tfjs()),
  lazy('mxnet', ['mxnet'], async () => (await import('./mxnet/mxnet.js')).mxnet()),
  lazy('reference', undefined, async () => (await import('./reference.js')).reference()),
];
