import type * as tfcore from '@tensorflow/tfjs-core';
import { EngineFailure, messageOf, type Peer } from '../engine.js';
import { mixedBackend, registerMixedBackend } from './wasm-kernels.js';

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
  { backend, wasmFolder }: BackendSettings,
  peer: Peer,
): Promise<Backend> {
  const name = backend ?? mixedBackend;
  if (name !== 'wasm')
    await peer('@tensorflow/tfjs-backend-cpu', () => import('@tensorflow/tfjs-backend-cpu'));
  if (name !== 'cpu') {
    const { setWasmPaths } = await peer(
      '@tensorflow/tfjs-backend-wasm',
      () => import('@tensorflow/tfjs-backend-wasm'),
    );
    if (wasmFolder !== undefined) setWasmPaths(wasmFolder);
  }
  const start = async (one: string) => {
    if (!(await tf.setBackend(one)))
      throw new EngineFailure('refused', `the backend ${one} does not start`);
  };
  if (name === mixedBackend) {
    await start('cpu');
    await start('wasm');
    registerMixedBackend(tf);
  }
  await start(name);
  return {
    async run(act) {
      await tf.setBackend(name);
      try {
        return await act();
      } catch (error) {
        if (error instanceof EngineFailure) throw error;
        throw new EngineFailure('failed', messageOf(error));
      }
    },
  };
}
