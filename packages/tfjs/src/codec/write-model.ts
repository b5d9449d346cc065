import {
  bytesOf,
  coreDiagnostics,
  sizeOf,
  type DroverError,
  type DType,
  type Sink,
  type SinkFile,
} from '@drover/core';
import { encodeModelJson, type GroupSpec } from './encode-model.js';
import {
  storedDtype,
  type ModelJson,
  type Quantization,
  type WeightDType,
  type WeightSpec,
} from './model.js';
import { affineRange, encodeAffine, encodeFloat16 } from './quantize.js';
import { shardPaths } from './shard-paths.js';

/**
 * A weight to write. `read` gives the elements in the canonical encoding; it is called twice for
 * strings and for weights that are quantised to integers.
 */
export interface WritableWeight {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly group?: string;
  read(): Promise<Uint8Array>;
}

/** How a model is written. */
export interface WriteModelOptions {
  /** Path of the JSON file; the shards lie beside it. `model.json` unless told. */
  readonly path?: string;
  /** Bytes of a shard, the last of a group apart; 4 MiB unless told. */
  readonly shardBytes?: number;
  /**
   * How a float32 weight is stored; plain unless told. What cannot be quantised stays plain: other
   * types, and for integer codes weights without elements or with infinite ones or NaN.
   */
  readonly quantize?: (weight: WritableWeight) => Quantization['dtype'] | undefined;
}

const readable: ReadonlySet<DType> = new Set<WeightDType>([
  'float32',
  'int32',
  'bool',
  'complex64',
  'string',
]);

interface Planned {
  readonly weight: WritableWeight;
  readonly spec: WeightSpec;
  readonly length: number;
}

/**
 * Writes the shards (see {@link shardPaths}), then the model.json, laid out as tensorflowjs does;
 * one weight at a time is in memory. Gives the paths of the shards and what the manifest says. The
 * sink is not committed. Throws `core/not-writable` and `core/duplicate` before anything is
 * written.
 */
export async function writeModel(
  model: ModelJson,
  groups: readonly (readonly WritableWeight[])[],
  sink: Sink,
  options: WriteModelOptions = {},
): Promise<readonly GroupSpec[]> {
  const { path = 'model.json', shardBytes = 4 * 1024 * 1024 } = options;
  const names = new Set<string>();
  for (const weight of groups.flat()) {
    const origin = { file: path, node: weight.name };
    if (!readable.has(weight.dtype))
      throw coreDiagnostics.error('not-writable', {
        message: `${weight.name} is ${weight.dtype}.`,
        origin,
      });
    if (names.has(weight.name))
      throw coreDiagnostics.error('duplicate', {
        message: `Two weights have the name ${JSON.stringify(weight.name)}.`,
        origin,
      });
    names.add(weight.name);
  }
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const written: GroupSpec[] = [];
  for (const [index, weights] of groups.entries()) {
    const planned: Planned[] = [];
    for (const weight of weights) planned.push(await plan(weight, options, path));
    const total = planned.reduce((sum, { length }) => sum + length, 0);
    const shards = new ShardWriter(
      sink,
      folder,
      shardPaths(path, index + 1, Math.ceil(total / shardBytes)),
      shardBytes,
    );
    for (const { weight, spec, length } of planned) {
      const bytes = encode(await readWeight(weight, path), spec);
      if (bytes.length !== length) throw wrongSize(weight, bytes.length, path);
      await shards.write(bytes);
    }
    await shards.close();
    written.push({
      paths: shards.paths,
      weights: planned.map(({ spec }) => spec),
      extra: new Map(),
    });
  }
  const file = await sink.create(path);
  await file.write(new TextEncoder().encode(JSON.stringify(encodeModelJson(model, written))));
  await file.close();
  return written;
}

async function readWeight(weight: WritableWeight, path: string): Promise<Uint8Array> {
  const bytes = await weight.read();
  if (weight.dtype !== 'string' && bytes.length !== bytesOf(weight.dtype, sizeOf(weight.shape)))
    throw wrongSize(weight, bytes.length, path);
  return bytes;
}

function wrongSize(
  { name, dtype, shape }: WritableWeight,
  length: number,
  path: string,
): DroverError {
  return coreDiagnostics.error('range', {
    message: `${name} has ${length} bytes, which are not ${dtype}[${shape.join(', ')}].`,
    origin: { file: path, node: name },
  });
}

/** What the manifest will say of a weight, and how many bytes it will take. */
async function plan(
  weight: WritableWeight,
  { quantize }: WriteModelOptions,
  path: string,
): Promise<Planned> {
  const quantization =
    weight.dtype === 'float32'
      ? await planQuantization(weight, quantize?.(weight), path)
      : undefined;
  const { name, shape, group } = weight;
  const spec: WeightSpec = {
    name,
    dtype: weight.dtype as WeightDType,
    shape,
    ...(quantization === undefined ? {} : { quantization }),
    ...(group === undefined ? {} : { group }),
    extra: new Map(),
  };
  const length =
    weight.dtype === 'string'
      ? (await weight.read()).length
      : bytesOf(storedDtype(spec), sizeOf(shape));
  return { weight, spec, length };
}

async function planQuantization(
  weight: WritableWeight,
  dtype: Quantization['dtype'] | undefined,
  path: string,
): Promise<Quantization | undefined> {
  const extra = new Map([['original_dtype', 'float32']]);
  if (dtype === undefined) return undefined;
  if (dtype === 'float16') return { dtype, extra };
  const range = affineRange(await readWeight(weight, path), dtype);
  return range && { dtype, ...range, extra };
}

function encode(bytes: Uint8Array, { quantization }: WeightSpec): Uint8Array {
  if (quantization === undefined) return bytes;
  return quantization.dtype === 'float16'
    ? encodeFloat16(bytes)
    : encodeAffine(bytes, quantization.dtype, quantization);
}

/** Cuts a stream of known length into files of equal size. */
class ShardWriter {
  #shard: SinkFile | undefined;
  #next = 0;
  #room = 0;

  constructor(
    private readonly sink: Sink,
    private readonly folder: string,
    readonly paths: readonly string[],
    private readonly shardBytes: number,
  ) {}

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#room === 0) {
        await this.#shard?.close();
        this.#shard = await this.sink.create(this.folder + this.paths[this.#next++]!);
        this.#room = this.shardBytes;
      }
      const take = Math.min(this.#room, bytes.length - at);
      await this.#shard!.write(bytes.subarray(at, at + take));
      at += take;
      this.#room -= take;
    }
  }

  async close(): Promise<void> {
    await this.#shard?.close();
  }
}
