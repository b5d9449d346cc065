import {
  coreDiagnostics,
  DroverError,
  memorySource,
  sizeOf,
  type DiagnosticOrigin,
} from '@drover/core';
import { dataTypeOfNumber, type DataType } from '@drover/graphdef/codec';
import { decodeMessage, type Int64, type Message } from '@drover/protobuf';
import { tensorflowDiagnostics } from '../diagnostics.js';
import { schema, type BundleEntry, type BundleHeader, type TensorSlice } from './messages.js';
import type { SliceExtent } from './slice-key.js';

const maxRank = 64;
/** Weight files: more than anything writes, and few enough to look for each. */
const maxShards = 100_000;
/** The version of the format that is read and written (tensor_bundle.cc). */
const bundleVersion = 1;

/** What the header of a checkpoint says. */
export interface Header {
  readonly version: number;
  readonly shardCount: number;
  readonly isBigEndian: boolean;
}

/** Where a tensor, or a slice of one, stands. */
export interface Entry {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
  readonly shard: number;
  readonly offset: number;
  readonly size: number;
  /** Masked. */
  readonly crc32c: number;
  /** The slices that it is made of, each under a key of its own; none where it stands whole. */
  readonly slices: readonly (readonly SliceExtent[])[];
}

/** The error that an entry cannot be. */
export const bundleError = (message: string, origin: DiagnosticOrigin): DroverError =>
  tensorflowDiagnostics.error('bundle', { message: `${message}.`, origin });

async function decoded<T>(
  decode: () => Promise<T>,
  what: string,
  origin: DiagnosticOrigin,
): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    if (!(error instanceof DroverError) || error.failure === 'limit') throw error;
    throw bundleError(`${what} is no message: ${error.message.replace(/\.$/, '')}`, origin);
  }
}

const sourceOf = (value: Uint8Array, file: string) => memorySource(file, new Map([[file, value]]));

/** Whether the entry under the empty key is that of the first version of the format. */
export const isVersion1 = (value: Uint8Array): boolean => value[0] === 0x0a;

/**
 * The header of a checkpoint. Throws `tensorflow/bundle`, `tensorflow/generation` and
 * `core/limit`.
 */
export async function decodeHeader(value: Uint8Array, file: string): Promise<Header> {
  const origin = { file };
  const header: BundleHeader = await decoded(
    () => decodeMessage(schema, 'BundleHeader', sourceOf(value, file)),
    'The header',
    origin,
  );
  const { numShards = 0, endianness = 0, version = {} } = header;
  const { producer = 0, minConsumer = 0, badConsumers = [] } = version;
  if (minConsumer > bundleVersion || badConsumers.includes(bundleVersion))
    throw tensorflowDiagnostics.error('generation', {
      message: `The checkpoint is for readers of version ${minConsumer}; version ${bundleVersion} is read.`,
      origin,
    });
  if (endianness !== 0 && endianness !== 1)
    throw bundleError(`The order of bytes ${endianness} does not exist`, origin);
  if (numShards < 1) throw bundleError(`The checkpoint has ${numShards} weight files`, origin);
  if (numShards > maxShards)
    throw coreDiagnostics.error('limit', {
      message: `The checkpoint has ${numShards} weight files (up to ${maxShards} are read).`,
      origin,
    });
  return { version: producer, shardCount: numShards, isBigEndian: endianness === 1 };
}

/** One entry. Throws `tensorflow/bundle` and `core/limit`. */
export async function decodeEntry(
  name: string,
  value: Uint8Array,
  { shardCount }: Header,
  file: string,
): Promise<Entry> {
  const origin = { file, node: name };
  const what = JSON.stringify(name);
  const message: BundleEntry = await decoded(
    () => decodeMessage(schema, 'BundleEntry', sourceOf(value, file)),
    `The entry of ${what}`,
    origin,
  );
  const count = (number: Int64, of: string): number => {
    if (typeof number === 'number' && number >= 0) return number;
    throw bundleError(`${what} has the ${of} ${number}`, origin);
  };
  const { dtype = 0, shape = {}, shardId = 0, slices = [] } = message;
  const dataType = dataTypeOfNumber(dtype);
  if (dataType === undefined || dtype <= 0)
    throw bundleError(`${what} has the type ${dtype}, which does not exist`, origin);
  const dims = shape.dim ?? [];
  if (dims.length > maxRank)
    throw coreDiagnostics.error('limit', {
      message: `${what} has ${dims.length} dimensions (up to ${maxRank} are read).`,
      origin,
    });
  if (shape.unknownRank) throw bundleError(`${what} has no shape`, origin);
  const sizes = dims.map(({ size = 0 }) => count(size, 'dimension'));
  if (!Number.isSafeInteger(sizeOf(sizes)))
    throw bundleError(`${what} has the shape [${sizes.join(', ')}]`, origin);
  if (shardId < 0 || shardId >= shardCount)
    throw bundleError(`${what} is in weight file ${shardId} of ${shardCount}`, origin);
  return {
    name,
    dataType,
    shape: sizes,
    shard: shardId,
    offset: count(message.offset ?? 0, 'offset'),
    size: count(message.size ?? 0, 'size'),
    crc32c: message.crc32c ?? 0,
    slices: slices.map((slice) => extentsOf(slice, sizes, what, origin)),
  };
}

/** The extents of a slice, which lies within a shape. Throws `tensorflow/slices`. */
function extentsOf(
  { extent = [] }: TensorSlice,
  shape: readonly number[],
  what: string,
  origin: DiagnosticOrigin,
): readonly SliceExtent[] {
  const wrong = (message: string) =>
    tensorflowDiagnostics.error('slices', { message: `A slice of ${what} ${message}.`, origin });
  if (extent.length !== shape.length)
    throw wrong(`has ${extent.length} dimensions, and the tensor ${shape.length}`);
  return extent.map(({ start = 0, length }, axis) => {
    const all = shape[axis]!;
    const [from, to] = [Number(start), Number(start) + Number(length ?? all)];
    if (from < 0 || to > all || to < from)
      throw wrong(`goes from ${from} to ${to} of [${shape.join(', ')}]`);
    return { start: from, length: length === undefined ? undefined : Number(length) };
  });
}

/** What a header is made of, for writing. */
export const headerMessage = (shardCount: number): BundleHeader & Message => ({
  numShards: shardCount,
  version: { producer: bundleVersion },
});
