import type * as tfcore from '@tensorflow/tfjs-core';
import { EngineFailure, importPeer, messageOf } from '../engine.js';

/** What TensorFlow.js computes with. */
export interface BackendSettings {
  readonly backend: 'cpu' | 'wasm' | undefined;
  readonly wasmFolder: string | undefined;
}

/** A backend that runs what it is given. */
export interface Backend {
  /** Throws an {@link EngineFailure} in the words of TensorFlow.js. */
  run<T>(act: () => Promise<T>): Promise<T>;
}

/** Starts a backend. Throws an {@link EngineFailure} where it does not start. */
export async function startBackend(
  tf: typeof tfcore,
  { backend = 'cpu', wasmFolder }: BackendSettings,
): Promise<Backend> {
  if (backend === 'cpu')
    await importPeer('@tensorflow/tfjs-backend-cpu', () => import('@tensorflow/tfjs-backend-cpu'));
  else {
    const { setWasmPaths } = await importPeer(
      '@tensorflow/tfjs-backend-wasm',
      () => import('@tensorflow/tfjs-backend-wasm'),
    );
    if (wasmFolder !== undefined) setWasmPaths(wasmFolder);
  }
  if (!(await tf.setBackend(backend)))
    throw new EngineFailure('refused', `the backend ${backend} does not start`);
  return {
    async run(act) {
      await tf.setBackend(backend);
      try {
        return await act();
      } catch (error) {
        if (error instanceof EngineFailure) throw error;
        throw new EngineFailure('failed', messageOf(error));
      }
    },
  };
}
