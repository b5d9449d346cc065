import { ByteHandle, coreDiagnostics, bytesOf, type DroverError, type Source } from '@drover/core';
import { readJson, type JsonCursor, type JsonValue } from '@drover/core/format';
import { tfjsDiagnostics } from '../diagnostics.js';
import {
  storedDtype,
  weightDtypes,
  type Quantization,
  type StoredWeight,
  type WeightDType,
  type WeightGroup,
  type WeightSpec,
} from './model.js';

const groupKeys = new Set(['paths', 'weights']);
const weightKeys = new Set(['name', 'dtype', 'shape', 'quantization', 'group']);
const quantizationKeys = new Set(['dtype', 'scale', 'min']);

/** The members of an object that a structure does not name, kept to be written back. */
export function extraOf(
  json: JsonCursor,
  known: ReadonlySet<string>,
): ReadonlyMap<string, JsonValue> {
  return new Map(
    json.members().flatMap(([key, item]) => (known.has(key) ? [] : [[key, item.value] as const])),
  );
}

function weightsError(json: JsonCursor, message: string, node?: string): DroverError {
  return tfjsDiagnostics.error('weights', {
    message,
    origin: { file: json.file, pointer: json.pointer, ...(node === undefined ? {} : { node }) },
  });
}

function duplicateError(json: JsonCursor, message: string): DroverError {
  return coreDiagnostics.error('duplicate', {
    message,
    origin: { file: json.file, pointer: json.pointer },
  });
}

/** The manifest of a file: its `weightsManifest`, or the whole where that is a list of groups. */
export const manifestOf = (json: JsonCursor): JsonCursor | undefined =>
  Array.isArray(json.value) ? json : json.get('weightsManifest');

/**
 * Reads the weights of a file, with a topology or without, and finds them in the shards beside it.
 * Throws `core/limit`, `tfjs/model` for a file without a manifest, and what {@link decodeManifest}
 * throws.
 */
export async function readWeights(source: Source): Promise<readonly WeightGroup[]> {
  const json = await readJson(source);
  const manifest = manifestOf(json);
  if (manifest) return decodeManifest(manifest, source);
  throw tfjsDiagnostics.error('model', {
    message: `${source.name} has no weightsManifest.`,
    origin: { file: source.name },
  });
}

/**
 * Reads a `weightsManifest`: opens the shards beside the model and finds the place of every weight.
 * No elements are read, strings apart, whose places depend on their lengths. Throws `core/json`,
 * `core/path`, `core/missing-file`, `tfjs/weights` or `core/duplicate`.
 */
export async function decodeManifest(
  json: JsonCursor,
  source: Source,
): Promise<readonly WeightGroup[]> {
  const groups: WeightGroup[] = [];
  const names = new Set<string>();
  const shardNames = new Set<string>();
  for (const item of json.items()) {
    const specs = item
      .require('weights')
      .items()
      .map((at) => ({ at, spec: decodeSpec(at) }));
    for (const { at, spec } of specs) {
      if (names.has(spec.name))
        throw duplicateError(
          at,
          `The weight ${JSON.stringify(spec.name)} stands in the manifest twice.`,
        );
      names.add(spec.name);
    }
    const paths = item
      .require('paths')
      .items()
      .map((at) => {
        const path = at.string();
        if (shardNames.has(path))
          throw duplicateError(
            at,
            `The shard ${JSON.stringify(path)} stands in the manifest twice.`,
          );
        shardNames.add(path);
        return path;
      });
    const shards: ByteHandle[] = [];
    for (const path of paths) shards.push(ByteHandle.range(await source.sibling(path)));
    const bytes = ByteHandle.join(shards);
    groups.push({
      paths,
      weights: await placeWeights(item, specs, bytes),
      extra: extraOf(item, groupKeys),
    });
  }
  return groups;
}

function decodeSpec(json: JsonCursor): WeightSpec {
  const quantization = json.get('quantization');
  const group = json.get('group');
  const spec = {
    name: json.require('name').string(),
    dtype: decodeDtype(json.require('dtype')),
    shape: json
      .require('shape')
      .items()
      .map((dim) => dim.integer(0)),
    ...(quantization === undefined ? {} : { quantization: decodeQuantization(quantization) }),
    ...(group === undefined ? {} : { group: group.string() }),
    extra: extraOf(json, weightKeys),
  };
  if (
    spec.quantization !== undefined &&
    spec.dtype !== 'float32' &&
    (spec.dtype !== 'int32' || spec.quantization.dtype === 'float16')
  ) {
    throw weightsError(
      json,
      `${spec.name} of type ${spec.dtype} cannot be quantised to ${spec.quantization.dtype}.`,
      spec.name,
    );
  }
  return spec;
}

function decodeDtype(json: JsonCursor): WeightDType {
  const dtype = weightDtypes.find((name) => name === json.string());
  if (dtype === undefined)
    throw json.error(`is not a type of weights (${weightDtypes.join(', ')})`);
  return dtype;
}

function decodeQuantization(json: JsonCursor): Quantization {
  const dtype = json.require('dtype').string();
  if (dtype === 'float16') return { dtype, extra: extraOf(json, new Set(['dtype'])) };
  if (dtype !== 'uint8' && dtype !== 'uint16')
    throw json.require('dtype').error('is not a type of quantisation (uint8, uint16, float16)');
  return {
    dtype,
    scale: json.require('scale').number(),
    min: json.require('min').number(),
    extra: extraOf(json, quantizationKeys),
  };
}

/**
 * Cuts the bytes of a group into weights. Every size is checked against what is left, and nothing
 * may be left at the end.
 */
async function placeWeights(
  json: JsonCursor,
  specs: readonly { readonly at: JsonCursor; readonly spec: WeightSpec }[],
  bytes: ByteHandle,
): Promise<readonly StoredWeight[]> {
  const weights: StoredWeight[] = [];
  let offset = 0;
  for (const { at, spec } of specs) {
    const left = bytes.length - offset;
    const count = spec.shape.reduce((product, dim) => product * BigInt(dim), 1n);
    const stored = storedDtype(spec);
    // A string takes at least the four bytes of its length.
    const least = count * BigInt(stored === 'string' ? 4 : bytesOf(stored, 1));
    if (least > BigInt(left)) {
      throw weightsError(
        at,
        `${spec.name}, ${stored}[${spec.shape.join(', ')}], needs ${least} bytes, but the shards have ${left} left.`,
        spec.name,
      );
    }
    const length =
      stored === 'string'
        ? await stringBytes(at, spec.name, Number(count), bytes, offset)
        : Number(least);
    weights.push({ ...spec, bytes: bytes.slice(offset, length) });
    offset += length;
  }
  if (offset !== bytes.length)
    throw weightsError(
      json,
      `The shards have ${bytes.length} bytes, but the weights of the group take ${offset}.`,
    );
  return weights;
}

const windowBytes = 1 << 16;

/** Bytes of `count` strings from `start` on, by walking over their lengths. */
async function stringBytes(
  json: JsonCursor,
  name: string,
  count: number,
  bytes: ByteHandle,
  start: number,
): Promise<number> {
  let window = new DataView(new ArrayBuffer(0)) as DataView;
  let windowStart = start;
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + 4 > windowStart + window.byteLength && at + 4 <= bytes.length) {
      const length = Math.min(windowBytes, bytes.length - at);
      const read = await bytes.read({ offset: at, length });
      window = new DataView(read.buffer, read.byteOffset, read.byteLength);
      windowStart = at;
    }
    const length = at + 4 <= bytes.length ? window.getUint32(at - windowStart, true) : Infinity;
    if (at + 4 + length > bytes.length)
      throw weightsError(json, `String ${i} of ${count} in ${name} leaves the shards.`, name);
    at += 4 + length;
  }
  return at - start;
}
