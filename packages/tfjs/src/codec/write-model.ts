import {
  bytesOf,
  coreDiagnostics,
  sizeOf,
  type ByteHandle,
  type DType,
  type Sink,
  type SinkFile,
} from '@drover/core';
import type { JsonValue } from '@drover/core/format';
import { encodeManifest, encodeModelJson, type GroupSpec } from './encode-model.js';
import { type ModelJson, type Quantization, type WeightDType, type WeightSpec } from './model.js';
import { affineCodes, affineRange, float16Codes } from './quantize.js';
import { shardPaths } from './shard-paths.js';

/** A weight to write. One that is quantised to integers is read twice. */
export interface WritableWeight {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly group?: string;
  /** The elements in the canonical encoding. */
  readonly bytes: ByteHandle;
}

/** How a model, or its weights, are written. */
export interface WriteModelOptions {
  /**
   * Path of the JSON file; the shards lie beside it. `model.json` unless told, and of weights alone
   * `weights_manifest.json`.
   */
  readonly path?: string;
  /** Bytes of a shard, the last of a group apart; 4 MiB unless told. */
  readonly shardBytes?: number;
  /**
   * How a float32 weight is stored; plain unless told. What cannot be quantised stays plain: other
   * types, and for integer codes weights without elements or with infinite ones or NaN.
   */
  readonly quantize?: (weight: WritableWeight) => Quantization['dtype'] | undefined;
}

/** Element types that TF.js reads. */
export const writableTypes: ReadonlySet<DType> = new Set<WeightDType>([
  'float32',
  'int32',
  'bool',
  'complex64',
  'string',
]);

interface Planned {
  readonly spec: WeightSpec;
  /** What the shards will hold. */
  readonly stored: ByteHandle;
}

/**
 * Writes the shards (see `shardPaths`), then the model.json, laid out as tensorflowjs does;
 * weights pass through in pieces. Gives the paths of the shards and what the manifest says. The
 * sink is not committed. Throws `core/not-writable`, `core/duplicate` and, for bytes that type and
 * shape do not ask for, `core/range`, before anything is written.
 */
export function writeModel(
  model: ModelJson,
  groups: readonly (readonly WritableWeight[])[],
  sink: Sink,
  options: WriteModelOptions = {},
): Promise<readonly GroupSpec[]> {
  return writeWith((written) => encodeModelJson(model, written), groups, sink, {
    path: 'model.json',
    ...options,
  });
}

/** Writes weights alone: the shards, then the manifest. Otherwise as {@link writeModel}. */
export function writeWeights(
  groups: readonly (readonly WritableWeight[])[],
  sink: Sink,
  options: WriteModelOptions = {},
): Promise<readonly GroupSpec[]> {
  return writeWith(encodeManifest, groups, sink, { path: 'weights_manifest.json', ...options });
}

/** Writes shards and then the JSON that is made of what they hold. */
async function writeWith(
  encode: (groups: readonly GroupSpec[]) => JsonValue,
  groups: readonly (readonly WritableWeight[])[],
  sink: Sink,
  options: WriteModelOptions & { readonly path: string },
): Promise<readonly GroupSpec[]> {
  const { path, shardBytes = 4 * 1024 * 1024 } = options;
  const names = new Set<string>();
  for (const weight of groups.flat()) {
    const origin = { file: path, node: weight.name };
    if (!writableTypes.has(weight.dtype))
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
    const { name, dtype, shape, bytes } = weight;
    if (dtype !== 'string' && bytes.length !== bytesOf(dtype, sizeOf(shape)))
      throw coreDiagnostics.error('range', {
        message: `${name} has ${bytes.length} bytes, which are not ${dtype}[${shape.join(', ')}].`,
        origin,
      });
  }
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const written: GroupSpec[] = [];
  for (const [index, weights] of groups.entries()) {
    const planned: Planned[] = [];
    for (const weight of weights) planned.push(await plan(weight, options));
    const total = planned.reduce((sum, { stored }) => sum + stored.length, 0);
    const shards = new ShardWriter(
      sink,
      folder,
      shardPaths(path, index + 1, Math.ceil(total / shardBytes)),
      shardBytes,
    );
    for (const { stored } of planned)
      for await (const chunk of stored.chunks()) await shards.write(chunk);
    await shards.close();
    written.push({
      paths: shards.paths,
      weights: planned.map(({ spec }) => spec),
      extra: new Map(),
    });
  }
  const file = await sink.create(path);
  await file.write(new TextEncoder().encode(JSON.stringify(encode(written))));
  await file.close();
  return written;
}

/** What the manifest will say of a weight, and what will be stored. */
async function plan(weight: WritableWeight, { quantize }: WriteModelOptions): Promise<Planned> {
  const { name, shape, group, bytes } = weight;
  const wanted = weight.dtype === 'float32' ? quantize?.(weight) : undefined;
  const { quantization, stored = bytes } =
    wanted === undefined ? {} : await quantised(bytes, wanted);
  const spec: WeightSpec = {
    name,
    dtype: weight.dtype as WeightDType,
    shape,
    ...(quantization === undefined ? {} : { quantization }),
    ...(group === undefined ? {} : { group }),
    extra: new Map(),
  };
  return { spec, stored };
}

/** Float32 elements in fewer bits, unless no range covers them. */
async function quantised(
  bytes: ByteHandle,
  dtype: Quantization['dtype'],
): Promise<{ quantization?: Quantization; stored?: ByteHandle }> {
  const extra = new Map([['original_dtype', 'float32']]);
  const length = bytesOf(dtype, bytes.length / 4);
  if (dtype === 'float16')
    return { quantization: { dtype, extra }, stored: bytes.decoded(float16Codes, length) };
  const range = await affineRange(bytes.chunks(), dtype);
  if (range === undefined) return {};
  const stored = bytes.decoded(affineCodes(dtype, range), length);
  return { quantization: { dtype, ...range, extra }, stored };
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
