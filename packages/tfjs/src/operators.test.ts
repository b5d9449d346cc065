import '@tensorflow/tfjs-backend-cpu';
import { loadGraphModel, type GraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { readdirSync, readFileSync } from 'node:fs';
import {
  castTensor,
  decodeTensor,
  evaluate,
  memorySource,
  MemorySink,
  tensor,
  toNumbers,
  type DType,
  type Model,
  type Tensor,
  openModel,
  writeModel,
} from '@drover/core';
import { tfjs } from './format.js';

interface Stored {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: string | readonly string[];
}

/** A case of fixtures/ops/tf (fixtures/README.md). */
interface Case {
  readonly name: string;
  readonly inputs: readonly Stored[];
  readonly outputs: readonly Stored[];
  readonly model: {
    readonly json: { readonly weightsManifest: readonly { readonly paths: readonly string[] }[] };
    readonly weights?: string;
  };
  readonly undefined?: Readonly<Record<string, readonly number[]>>;
}

/** Cases whose operator core has no form of. One that becomes readable must be taken out. */
const foreign = new Set([
  'Dilation2D/plain',
  'ImageProjectiveTransformV3/affine',
  'MaxPoolWithArgmax/batch',
  'Cumprod/plain',
  'Cumprod/exclusive_reverse',
  'Bincount/weights',
  'DenseBincount/plain',
  'Unique/order',
  'UniqueV2/flat',
  'LowerBound/ties',
  'UpperBound/ties',
  'ListDiff/plain',
  'BroadcastArgs/plain',
  'SparseToDense/plain',
  'RFFT/cropped',
  'IRFFT/round_trip',
  'FFT/parts',
  'IFFT/parts',
  'ComplexAbs/plain',
]);

/** Cases that are read, and that TF.js has no operators for. */
const unwritable = new Set(['BitwiseAnd/ints']);

const folder = new URL('../../../fixtures/ops/tf/', import.meta.url);
const families = readdirSync(folder).map(
  (file) =>
    JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as {
      readonly family: string;
      readonly cases: readonly Case[];
    },
);

const bare = (name: string) => name.replace(/:0$/, '');

function decode({ dtype, shape, data }: Stored): Tensor {
  return typeof data === 'string'
    ? decodeTensor(new Uint8Array(Buffer.from(data, 'base64')), dtype, shape)
    : tensor(dtype, shape, data);
}

async function read({ model }: Case): Promise<Model> {
  const files = new Map([['model.json', new TextEncoder().encode(JSON.stringify(model.json))]]);
  for (const path of model.json.weightsManifest.flatMap(({ paths }) => paths))
    files.set(path, new Uint8Array(Buffer.from(model.weights ?? '', 'base64')));
  return openModel(memorySource('model.json', files), tfjs);
}

/** Fails unless the elements agree to a share of the largest finite one. */
function expectNear(actual: Tensor, { name, ...stored }: Stored, given: Case, share: number): void {
  const wanted = decode({ name, ...stored });
  expect(actual.shape).toEqual(wanted.shape);
  const [a, b] = [toNumbers(actual), toNumbers(wanted)];
  const skipped = new Set(given.undefined?.[name] ?? []);
  const largest = b.reduce(
    (most, each) => (Number.isFinite(each) ? Math.max(most, Math.abs(each)) : most),
    1e-3,
  );
  const wrong = [...b.keys()].filter(
    (i) =>
      !skipped.has(i) &&
      !Object.is(a[i], b[i]) &&
      a[i] !== b[i] &&
      !(Math.abs(a[i]! - b[i]!) <= share * largest),
  );
  expect(wrong.map((i) => `[${i}] ${a[i]} is not ${b[i]}`)).toEqual([]);
}

/**
 * executeAsync runs everything, but warns of each model that execute could run as well; execute
 * refuses control flow before it computes.
 */
async function execute(
  model: GraphModel,
  feeds: tf.NamedTensorMap,
  names: string[],
): Promise<tf.Tensor | tf.Tensor[]> {
  try {
    return model.execute(feeds, names);
  } catch {
    return model.executeAsync(feeds, names);
  }
}

/** Runs a written model in TF.js on its cpu backend. */
async function run(
  files: ReadonlyMap<string, Uint8Array>,
  inputs: ReadonlyMap<string, Tensor>,
): Promise<ReadonlyMap<string, Tensor>> {
  await tf.setBackend('cpu');
  const json = JSON.parse(new TextDecoder().decode(files.get('model.json'))) as tf.io.ModelJSON & {
    signature: { outputs: Readonly<Record<string, { name: string }>> };
  };
  const shards = json.weightsManifest.flatMap(({ paths }) => paths.map((path) => files.get(path)!));
  const artifacts = {
    ...json,
    weightSpecs: json.weightsManifest.flatMap(({ weights }) => weights),
    weightData: new Uint8Array(Buffer.concat(shards)).buffer,
  };
  const model = await loadGraphModel({
    load: async () => artifacts as unknown as tf.io.ModelArtifacts,
  });
  const feeds: tf.NamedTensorMap = {};
  for (const { name } of model.inputs) {
    const { dtype, shape, data } = inputs.get(name)!;
    if (dtype === 'string')
      feeds[name] = tf.tensor([...(data as readonly string[])], [...shape], 'string');
    else
      feeds[name] = tf.tensor(
        Array.from(data as ArrayLike<number | bigint>, Number),
        [...shape],
        /^float/.test(dtype) ? 'float32' : dtype === 'bool' ? 'bool' : 'int32',
      );
  }
  const names = Object.values(json.signature.outputs).map(({ name }) => name);
  const made = [await execute(model, feeds, names)].flat();
  return new Map(
    names.map((name, i) => [
      bare(name),
      tensor(
        made[i]!.dtype as DType,
        made[i]!.shape,
        Array.from(made[i]!.dataSync() as unknown as ArrayLike<number>),
      ),
    ]),
  );
}

beforeAll(() => tf.enableProdMode());

describe.each(families)('$family', ({ cases }) => {
  test.each(cases)(
    '$name means what TensorFlow computes, and runs in TF.js when it is written again',
    async (given) => {
      const model = await read(given);
      const isForeign = [...model.graph.nodes].some(({ op }) => op.name === 'Foreign');
      expect(isForeign).toBe(foreign.has(given.name));
      if (isForeign) return;
      const inputs = new Map(given.inputs.map((input) => [bare(input.name), decode(input)]));
      const fed = model.graph.inputs.map(({ name, dtype }) => castTensor(inputs.get(name)!, dtype));
      const made = await evaluate(model.graph, fed);
      for (const output of given.outputs)
        expectNear(made.get(bare(output.name)) ?? [...made.values()][0]!, output, given, 1e-5);

      const sink = new MemorySink();
      const written = writeModel(model, { to: tfjs, sink });
      if (unwritable.has(given.name))
        return expect(written).rejects.toMatchObject({ failure: 'unsupported' });
      await written;
      await sink.commit();
      const results = await run(sink.files, inputs);
      for (const output of given.outputs)
        expectNear(
          results.get(bare(output.name)) ?? [...results.values()][0]!,
          output,
          given,
          2e-5,
        );
    },
  );
});
