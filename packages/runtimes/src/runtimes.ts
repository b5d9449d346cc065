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
 * loaded before it loads a model. Foreign ones run each model in a process of its own: what would
 * end this process fails as `runtimes/crashed`, what never comes back as `runtimes/timed-out`.
 */
export const runtimes: readonly Runtime[] = [
  lazy('onnxruntime', ['onnx'], async () =>
    (await import('./onnxruntime/onnxruntime.js')).onnxruntime({ process: {} }),
  ),
  lazy('tfjs', ['tfjs'], async () => (await import('./tfjs/tfjs.js')).tfjs({ process: {} })),
  lazy('mxnet', ['mxnet'], async () => (await import('./mxnet/mxnet.js')).mxnet()),
  lazy('reference', undefined, async () => (await import('./reference.js')).reference()),
];
