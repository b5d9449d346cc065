import type { GraphModel } from '@tensorflow/tfjs-converter';
import type * as tfcore from '@tensorflow/tfjs-core';
import type { io, NamedTensorMap, Tensor as TfTensor } from '@tensorflow/tfjs-core';
import {
  EngineFailure,
  messageOf,
  type Engine,
  type LoadedFile,
  type Peer,
  type RawSignature,
  type RawTensor,
} from '../engine.js';
import { startBackend, type BackendSettings } from './backend.js';

/** What the engine is told beside the model. */
export interface TfjsSettings extends BackendSettings {
  /** What the model's file declares; what TensorFlow.js makes of it where there is nothing. */
  readonly inputs: readonly RawSignature[] | undefined;
  readonly outputs: readonly RawSignature[] | undefined;
}

/** All that is to be installed, whichever part is found missing first. */
const neededPackages = ['core', 'converter', 'backend-cpu', 'backend-wasm']
  .map((part) => `@tensorflow/tfjs-${part}`)
  .join(' ');

/** A graph model in TensorFlow.js: model.json, and its shards in order. */
export async function load(
  [main, ...shards]: readonly LoadedFile[],
  settings: TfjsSettings,
  peer: Peer,
): Promise<Engine> {
  const part: Peer = (name, load) => peer(name, load, neededPackages);
  const tf = await part('@tensorflow/tfjs-core', () => import('@tensorflow/tfjs-core'));
  const { loadGraphModel } = await part(
    '@tensorflow/tfjs-converter',
    () => import('@tensorflow/tfjs-converter'),
  );
  // It talks on the console otherwise, about Node and about executeAsync.
  tf.enableProdMode();
  const backend = await startBackend(tf, settings, part);
  const model = await loadGraphModel({ load: async () => artifactsOf(main!, shards) }).catch(
    (error: unknown) => {
      throw new EngineFailure('refused', messageOf(error));
    },
  );
  const inputs = settings.inputs ?? model.inputs.map(signatureOf);
  const outputs = settings.outputs ?? model.outputs.map(signatureOf);
  const names = outputs.map(({ name }) => name);
  return {
    inputs,
    outputs,
    run: (given) =>
      backend.run(async () => {
        const feeds = new Map<string, TfTensor>();
        const results: TfTensor[] = [];
        try {
          for (const [name, value] of given) feeds.set(name, toTf(tf, value));
          const result = await execute(model, Object.fromEntries(feeds), names);
          results.push(...(Array.isArray(result) ? result : [result]));
          return await Promise.all(results.map(fromTf));
        } finally {
          tf.dispose([...feeds.values(), ...results]);
        }
      }),
    dispose: async () => model.dispose(),
  };
}

function artifactsOf(main: LoadedFile, shards: readonly LoadedFile[]): io.ModelArtifacts {
  const json = JSON.parse(new TextDecoder().decode(main.bytes)) as io.ModelJSON;
  return {
    ...json,
    weightSpecs: json.weightsManifest.flatMap(({ weights }) => weights),
    weightData: shards.map(({ bytes }) => wholeBuffer(bytes)),
  };
}

/** The bytes as a buffer of their own. */
function wholeBuffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.byteLength === bytes.buffer.byteLength
    ? (bytes.buffer as ArrayBuffer)
    : new Uint8Array(bytes).buffer;
}

/**
 * executeAsync runs everything, and warns on the console about each model that execute would do;
 * execute refuses control flow before it computes.
 */
async function execute(
  model: GraphModel,
  feeds: NamedTensorMap,
  names: string[],
): Promise<TfTensor | TfTensor[]> {
  try {
    return model.execute(feeds, names);
  } catch {
    return model.executeAsync(feeds, names);
  }
}

function signatureOf({ name, dtype, shape }: GraphModel['inputs'][number]): RawSignature {
  return {
    name: name.replace(/:0$/, ''),
    dtype,
    shape: shape?.map((dim) => (dim >= 0 ? dim : null)),
  };
}

function toTf(tf: typeof tfcore, { dtype, shape: dims, data }: RawTensor): TfTensor {
  const shape = [...dims];
  if (!(data instanceof Uint8Array)) return tf.tensor([...data], shape, 'string');
  const { buffer } = data.slice();
  if (dtype === 'float32') return tf.tensor(new Float32Array(buffer), shape, dtype);
  if (dtype === 'int32') return tf.tensor(new Int32Array(buffer), shape, dtype);
  if (dtype === 'bool') return tf.tensor(new Uint8Array(buffer), shape, dtype);
  throw new EngineFailure('failed', `inputs of type ${dtype} cannot be handed over`);
}

async function fromTf(value: TfTensor): Promise<RawTensor> {
  const { dtype, shape } = value;
  if (dtype === 'string') return { dtype, shape, data: await value.data<'string'>() };
  const values = await value.data();
  const { buffer, byteOffset, byteLength } = asDeclared(dtype, values);
  return { dtype, shape, data: new Uint8Array(buffer, byteOffset, byteLength) };
}

/** A cast leaves the elements in the array that they were in. */
function asDeclared(
  dtype: Exclude<TfTensor['dtype'], 'string'>,
  values: Float32Array | Int32Array | Uint8Array,
): Float32Array | Int32Array | Uint8Array {
  const Elements = dtype === 'bool' ? Uint8Array : dtype === 'int32' ? Int32Array : Float32Array;
  return values instanceof Elements ? values : Elements.from(values);
}
