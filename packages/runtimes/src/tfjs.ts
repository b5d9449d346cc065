import type { GraphModel } from '@tensorflow/tfjs-converter';
import type * as tfcore from '@tensorflow/tfjs-core';
import type { io, NamedTensorMap, Tensor as TfTensor } from '@tensorflow/tfjs-core';
import {
  decodeTensor,
  encodeTensor,
  runtimeDiagnostics,
  tensor,
  type DType,
  type LoadedModel,
  type ModelFiles,
  type Runtime,
  type Signature,
  type Source,
  type Tensor,
} from '@drover/core';
import { fitInputs, parseJson, JsonCursor } from '@drover/core/format';
import { importPeer, messageOf } from './import-peer.js';

/** How TensorFlow.js runs. */
export interface TfjsOptions {
  /** `cpu` unless told: it has the most kernels. `wasm` is faster, and lacks some. */
  readonly backend?: 'cpu' | 'wasm';
  /**
   * Folder (with a final slash) or URL of the .wasm files of @tensorflow/tfjs-backend-wasm, where
   * its own guess does not do.
   */
  readonly wasmFolder?: string;
}

const packages = '@tensorflow/tfjs-core @tensorflow/tfjs-converter';

/** The types that TensorFlow.js computes in, for those that a signature may state. */
// prettier-ignore
const computed: ReadonlyMap<string, DType> = new Map(Object.entries({
  DT_FLOAT: 'float32', DT_DOUBLE: 'float32', DT_HALF: 'float32', DT_INT64: 'int32', DT_INT32: 'int32', DT_INT16: 'int32', DT_INT8: 'int32',
  DT_UINT8: 'int32', DT_UINT16: 'int32', DT_BOOL: 'bool', DT_STRING: 'string', DT_COMPLEX64: 'complex64',
}));

/**
 * TensorFlow.js graph models: model.json with its shards beside it. Inputs and outputs go by the
 * tensor names of the signature, without `:0`.
 */
export function tfjs(options: TfjsOptions = {}): Runtime<ModelFiles> {
  return { id: 'tfjs', formats: ['tfjs'], load: ({ source }) => load(source, options) };
}

async function load(source: Source, options: TfjsOptions): Promise<LoadedModel> {
  const tf = await importPeer(packages, () => import('@tensorflow/tfjs-core'));
  const { loadGraphModel } = await importPeer(packages, () => import('@tensorflow/tfjs-converter'));
  // It talks on the console otherwise, about Node and about executeAsync.
  tf.enableProdMode();
  const backend = options.backend ?? 'cpu';
  await registerBackend(backend, options);
  const refused = (message: string) =>
    runtimeDiagnostics.error('refused', {
      message: `TensorFlow.js: ${message}`,
      origin: { file: source.name },
    });
  if (!(await tf.setBackend(backend))) throw refused(`the backend ${backend} does not start`);

  const json = parseJson(new TextDecoder().decode(await source.read()), source.name);
  const root = new JsonCursor(json, source.name);
  const topology = root.require('modelTopology');
  if (!topology.get('node'))
    throw refused('this is a layers model, and only graph models run here');
  const artifacts = {
    ...(json as object),
    ...(await readWeights(source, root)),
  } as io.ModelArtifacts;
  const model = await loadGraphModel({ load: async () => artifacts }).catch((error: unknown) => {
    throw refused(messageOf(error));
  });
  const signature = root.get('signature') ?? root.get('userDefinedMetadata')?.get('signature');
  const inputs = readSignature(signature?.get('inputs')) ?? model.inputs.map(fallback);
  const outputs = readSignature(signature?.get('outputs')) ?? model.outputs.map(fallback);
  const failed = (message: string) =>
    runtimeDiagnostics.error('failed', {
      message: `TensorFlow.js: ${message}`,
      origin: { file: source.name },
    });
  return {
    inputs,
    outputs,
    async run(given) {
      await tf.setBackend(backend);
      const feeds = new Map<string, TfTensor>();
      const results: TfTensor[] = [];
      try {
        for (const [name, value] of fitInputs(inputs, given, source.name))
          feeds.set(name, toTf(tf, value, failed));
        const names = outputs.map(({ name }) => name);
        const result = await execute(model, Object.fromEntries(feeds), names).catch(
          (error: unknown) => {
            throw failed(messageOf(error));
          },
        );
        results.push(...(Array.isArray(result) ? result : [result]));
        const values = await Promise.all(results.map(fromTf));
        return new Map(
          names.map((name, i) => [
            name,
            values[i] ?? fail(failed(`the output ${name} is missing`)),
          ]),
        );
      } finally {
        tf.dispose([...feeds.values(), ...results]);
      }
    },
    dispose: async () => model.dispose(),
  };
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

function fail(error: Error): never {
  throw error;
}

async function registerBackend(
  backend: 'cpu' | 'wasm',
  { wasmFolder }: TfjsOptions,
): Promise<void> {
  if (backend === 'cpu')
    return void (await importPeer(
      '@tensorflow/tfjs-backend-cpu',
      () => import('@tensorflow/tfjs-backend-cpu'),
    ));
  const { setWasmPaths } = await importPeer(
    '@tensorflow/tfjs-backend-wasm',
    () => import('@tensorflow/tfjs-backend-wasm'),
  );
  if (wasmFolder !== undefined) setWasmPaths(wasmFolder);
}

/** Weight specifications, and the bytes of every shard in order. */
async function readWeights(
  source: Source,
  root: JsonCursor,
): Promise<{ weightSpecs: io.WeightsManifestEntry[]; weightData: ArrayBuffer[] }> {
  const groups = root.require('weightsManifest').items();
  const paths = groups.flatMap((group) =>
    group
      .require('paths')
      .items()
      .map((path) => path.string()),
  );
  const weightData: ArrayBuffer[] = [];
  for (const path of paths)
    weightData.push((await (await source.sibling(path)).read()).slice().buffer);
  const weightSpecs = groups.flatMap((group) =>
    group
      .require('weights')
      .items()
      .map((weight) => weight.value as unknown as io.WeightsManifestEntry),
  );
  return { weightSpecs, weightData };
}

function readSignature(entries: JsonCursor | undefined): Signature[] | undefined {
  const members = entries?.members() ?? [];
  if (members.length === 0) return undefined;
  return members.map(([key, entry]) => {
    const dims = entry.get('tensorShape')?.get('dim')?.items();
    const shape = dims
      ?.map((dim) => Number(dim.require('size').value))
      .map((dim) => (dim >= 0 ? dim : null));
    const scalar =
      entry.get('tensorShape') !== undefined &&
      !entry.get('tensorShape')?.get('unknownRank') &&
      dims === undefined;
    const name = (entry.get('name')?.string() ?? key).replace(/:0$/, '');
    return {
      name,
      dtype: computed.get(String(entry.get('dtype')?.value)),
      shape: scalar ? [] : shape,
    };
  });
}

function fallback({
  name,
  dtype,
  shape,
}: {
  name: string;
  dtype: string;
  shape?: readonly number[];
}): Signature {
  const known = [...computed.values()].find((type) => type === dtype);
  return {
    name: name.replace(/:0$/, ''),
    dtype: known,
    shape: shape?.map((dim) => (dim >= 0 ? dim : null)),
  };
}

function toTf(tf: typeof tfcore, value: Tensor, failed: (message: string) => Error): TfTensor {
  const shape = [...value.shape];
  if (value.dtype === 'string')
    return tf.tensor([...(value.data as readonly string[])], shape, 'string');
  const { buffer } = encodeTensor(value).slice();
  if (value.dtype === 'float32') return tf.tensor(new Float32Array(buffer), shape, 'float32');
  if (value.dtype === 'int32') return tf.tensor(new Int32Array(buffer), shape, 'int32');
  if (value.dtype === 'bool') return tf.tensor(new Uint8Array(buffer), shape, 'bool');
  throw failed(`inputs of type ${value.dtype} cannot be handed over`);
}

async function fromTf(value: TfTensor): Promise<Tensor> {
  const { dtype, shape } = value;
  if (dtype === 'string') return tensor('string', shape, await value.data<'string'>());
  const data = await value.data();
  if (dtype === 'complex64')
    return decodeTensor(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      'complex64',
      shape,
    );
  return tensor(dtype, shape, data);
}
