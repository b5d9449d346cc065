import { ByteHandle, bytesOf, coreDiagnostics, sizeOf, type Source } from '@drover/core';
import { mxnetDiagnostics } from '../diagnostics.js';
import { densify } from './densify.js';
import { ParamsReader } from './params-reader.js';
import { typeFlags, type MxnetDType } from './type-flag.js';

/** Stored elements of one array within the file. */
export interface StoredPart {
  readonly dtype: MxnetDType;
  readonly shape: readonly number[];
  readonly bytes: ByteHandle;
}

/** How an array is stored that is filled up with zeros. */
export type SparseStorage =
  /** `values` holds the rows that `indices` names. */
  | { readonly kind: 'row_sparse'; readonly values: StoredPart; readonly indices: StoredPart }
  /**
   * Compressed rows: row r has the elements indptr[r] to indptr[r+1] of `values`, in the columns
   * that `indices` names.
   */
  | {
      readonly kind: 'csr';
      readonly values: StoredPart;
      readonly indptr: StoredPart;
      readonly indices: StoredPart;
    };

/** How an array is stored. `none` has neither shape nor elements. */
export type Storage =
  | { readonly kind: 'dense'; readonly values: StoredPart }
  | SparseStorage
  | { readonly kind: 'none' };

/** One array of a params file: known by its header, its elements read when asked for. */
export interface NdArrayRecord {
  /**
   * The name as stored, with `arg:` or `aux:` where the file has them; '' in a list without names.
   */
  readonly name: string;
  readonly dtype: MxnetDType;
  readonly shape: readonly number[];
  readonly storage: Storage;
  /**
   * The elements, little-endian in C order; sparse arrays are filled up with zeros. Reading them
   * throws `mxnet/no-array`, `mxnet/params` or `core/limit`.
   */
  readonly bytes: ByteHandle;
}

/** A params file: the arrays in the order of the file. `named` is false for a plain list. */
export interface ParamsFile {
  readonly named: boolean;
  readonly records: readonly NdArrayRecord[];
}

/** Bounds that protect from hostile params files. */
export interface ParamsLimits {
  /** Arrays; a million unless told. */
  readonly maxArrays?: number;
  /** Dimensions of one array; 64 unless told. */
  readonly maxRank?: number;
  /** Bytes of one name; 10 MB unless told. */
  readonly maxNameBytes?: number;
  /** Bytes of a sparse array after it is filled up; 1 GiB unless told. */
  readonly maxDenseBytes?: number;
}

const listMagic = 0x112n;
const v1 = 0xf993fac8;
const v2 = 0xf993fac9;
const v3 = 0xf993faca;
/** Zip, empty zip and npy, as numbers in either byte order: what MXNet 2.0 writes in NumPy mode. */
const numpyMagics = new Set([
  0x04034b50, 0x06054b50, 0x504b0304, 0x504b0506, 0x4d554e93, 0x934e554d,
]);

/** Whether bytes begin as a params file does: the magic number of the list, and a reserved 0. */
export function isParams(head: Uint8Array): boolean {
  if (head.length < 16) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return view.getBigUint64(0, true) === listMagic && view.getBigUint64(8, true) === 0n;
}

/**
 * Reads the headers of a params file (`mx.nd.save` of any version, Module checkpoints, Gluon's
 * `save_parameters`): the list itself and arrays without magic number (up to 0.10), V1, V2 and V3.
 * Counts and sizes are checked against the file before anything is allocated. Throws `core/range`,
 * `mxnet/params`, `core/duplicate`, `core/limit` or `mxnet/npz`.
 */
export async function decodeParams(source: Source, limits: ParamsLimits = {}): Promise<ParamsFile> {
  const {
    maxArrays = 1_000_000,
    maxRank = 64,
    maxNameBytes = 10_000_000,
    maxDenseBytes = 2 ** 30,
  } = limits;
  const reader = new ParamsReader(source);
  const head = await reader.u32();
  if (numpyMagics.has(head)) {
    throw mxnetDiagnostics.error('npz', {
      message: `${source.name} is an npz or npy file.`,
      origin: { file: source.name, offset: 0 },
    });
  }
  const magic = (BigInt(await reader.u32()) << 32n) | BigInt(head);
  if (magic !== listMagic)
    throw reader.error(`The file begins with 0x${magic.toString(16)}, not with 0x112.`, 0);
  await reader.u64();
  // The shortest array is one without magic number and dimensions: 4 bytes.
  const count = await countOf(reader, 4, maxArrays, 'arrays');
  const arrays: Omit<NdArrayRecord, 'name'>[] = [];
  for (let i = 0; i < count; i++) arrays.push(await decodeArray(reader, maxRank, maxDenseBytes));
  const namesOffset = reader.offset;
  const names = await countOf(reader, 8, maxArrays, 'names');
  if (names !== 0 && names !== count)
    throw reader.error(`${names} names follow ${count} arrays.`, namesOffset);
  const records: NdArrayRecord[] = [];
  const seen = new Set<string>();
  for (const array of arrays) {
    const offset = reader.offset;
    const name = names === 0 ? '' : await reader.text(maxNameBytes);
    if (names !== 0 && seen.has(name)) {
      throw coreDiagnostics.error('duplicate', {
        message: `${JSON.stringify(name)} names two arrays.`,
        origin: { file: source.name, offset },
      });
    }
    seen.add(name);
    records.push({ name, ...array });
  }
  if (reader.remaining > 0) throw reader.error(`${reader.remaining} bytes follow the last name.`);
  return { named: names > 0, records };
}

async function countOf(
  reader: ParamsReader,
  bytesEach: number,
  most: number,
  what: string,
): Promise<number> {
  const offset = reader.offset;
  const count = await reader.u64();
  if (count > BigInt(Math.floor(reader.remaining / bytesEach)))
    throw reader.error(
      `${count} ${what} do not fit into the ${reader.remaining} bytes that remain.`,
      offset,
    );
  if (count > BigInt(most)) {
    throw coreDiagnostics.error('limit', {
      message: `The file has ${count} ${what} (maxArrays ${most}).`,
      origin: { file: reader.source.name, offset },
    });
  }
  return Number(count);
}

async function decodeArray(
  reader: ParamsReader,
  maxRank: number,
  maxDenseBytes: number,
): Promise<Omit<NdArrayRecord, 'name'>> {
  const offset = reader.offset;
  const magic = await reader.u32();
  if (magic !== v1 && magic !== v2 && magic !== v3) {
    // Up to 0.10 there was no magic number: this is the number of dimensions, each of 32 bits.
    const shape = await shapeOf(reader, magic, maxRank, offset, async () =>
      BigInt(await reader.u32()),
    );
    return shape.length === 0 ? noArray(reader.source, offset) : denseArray(reader, shape);
  }
  if (magic === v1) {
    const shape = await storedShape(reader, maxRank);
    return shape.length === 0 ? noArray(reader.source, offset) : denseArray(reader, shape);
  }
  const storageOffset = reader.offset;
  const storage = await reader.i32();
  if (storage < -1 || storage > 2 || (magic === v3 && storage > 0))
    throw reader.error(`${storage} is not a type of storage.`, storageOffset);
  const indexCount = Math.max(storage, 0);
  const storedShapeOf = indexCount > 0 ? await storedShape(reader, maxRank) : undefined;
  const shape = await storedShape(reader, maxRank, magic === v3);
  if (shape === undefined || (shape.length === 0 && magic === v2))
    return noArray(reader.source, offset);
  if (storage < 0)
    throw reader.error('The array has dimensions, but no type of storage.', storageOffset);
  if (storedShapeOf === undefined) return denseArray(reader, shape);
  return sparseArray(
    reader,
    indexCount === 1 ? 'row_sparse' : 'csr',
    storedShapeOf,
    shape,
    maxRank,
    maxDenseBytes,
  );
}

async function shapeOf(
  reader: ParamsReader,
  rank: number,
  maxRank: number,
  offset: number,
  dim: () => Promise<bigint>,
): Promise<number[]> {
  if (rank < 0 || rank > maxRank)
    throw reader.error(
      `${rank} dimensions (the most is maxRank, ${maxRank}), or an array of no known version.`,
      offset,
    );
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const at = reader.offset;
    const size = await dim();
    if (size < 0n || size > BigInt(Number.MAX_SAFE_INTEGER))
      throw reader.error(`Dimension ${i} is ${size}.`, at);
    shape.push(Number(size));
  }
  return shape;
}

async function storedShape(reader: ParamsReader, maxRank: number): Promise<number[]>;
async function storedShape(
  reader: ParamsReader,
  maxRank: number,
  mayBeUnknown: boolean,
): Promise<number[] | undefined>;
/**
 * A 32-bit rank and 64-bit dimensions; undefined if the rank is -1, which V3 writes for an unknown
 * shape.
 */
async function storedShape(
  reader: ParamsReader,
  maxRank: number,
  mayBeUnknown = false,
): Promise<number[] | undefined> {
  const offset = reader.offset;
  const rank = await reader.i32();
  if (rank === -1 && mayBeUnknown) return undefined;
  return shapeOf(reader, rank, maxRank, offset, () => reader.i64());
}

async function typeOf(reader: ParamsReader): Promise<MxnetDType> {
  const offset = reader.offset;
  const flag = await reader.i32();
  const dtype = typeFlags[flag];
  if (dtype === undefined) throw reader.error(`${flag} is not a type of elements.`, offset);
  return dtype;
}

async function skipContext(reader: ParamsReader): Promise<void> {
  const offset = reader.offset;
  const device = await reader.i32();
  if (![1, 2, 3, 5].includes(device))
    throw reader.error(`${device} is not a type of device.`, offset);
  await reader.i32();
}

/**
 * The elements that begin here. Their size is checked against the file before the position moves
 * on.
 */
function part(reader: ParamsReader, dtype: MxnetDType, shape: readonly number[]): StoredPart {
  const count = shape.reduce((product, dim) => product * BigInt(dim), 1n);
  const bytes = count * BigInt(bytesOf(dtype, 1));
  if (bytes > BigInt(reader.remaining)) {
    throw reader.error(
      `${dtype}[${shape.join(', ')}] needs ${bytes} bytes, but ${reader.remaining} remain.`,
    );
  }
  const handle = ByteHandle.range(reader.source, reader.offset, Number(bytes));
  reader.skip(handle.length);
  return { dtype, shape, bytes: handle };
}

function noArray({ name: file }: Source, offset: number): Omit<NdArrayRecord, 'name'> {
  return {
    dtype: 'float32',
    shape: [],
    storage: { kind: 'none' },
    bytes: ByteHandle.computed(0, () => {
      throw mxnetDiagnostics.error('no-array', {
        message: `The array at ${offset} has no shape and no elements.`,
        origin: { file, offset },
      });
    }),
  };
}

async function denseArray(
  reader: ParamsReader,
  shape: readonly number[],
): Promise<Omit<NdArrayRecord, 'name'>> {
  await skipContext(reader);
  const dtype = await typeOf(reader);
  const values = part(reader, dtype, shape);
  return { dtype, shape, storage: { kind: 'dense', values }, bytes: values.bytes };
}

async function sparseArray(
  reader: ParamsReader,
  kind: 'row_sparse' | 'csr',
  stored: readonly number[],
  shape: readonly number[],
  maxRank: number,
  maxDenseBytes: number,
): Promise<Omit<NdArrayRecord, 'name'>> {
  const offset = reader.offset;
  await skipContext(reader);
  const dtype = await typeOf(reader);
  const headers: { readonly dtype: MxnetDType; readonly shape: readonly number[] }[] = [];
  for (let i = 0; i < (kind === 'csr' ? 2 : 1); i++)
    headers.push({ dtype: await typeOf(reader), shape: await storedShape(reader, maxRank) });
  const values = part(reader, dtype, stored);
  const parts = headers.map((header) => part(reader, header.dtype, header.shape));
  const wrong = (message: string): never => {
    throw reader.error(message, offset);
  };
  if (parts.some((index) => index.shape.length !== 1 || !index.dtype.includes('int')))
    wrong('The indices of a sparse array are not a list of integers.');
  const storage: SparseStorage =
    kind === 'csr'
      ? { kind, values, indptr: parts[0]!, indices: parts[1]! }
      : { kind: 'row_sparse', values, indices: parts[0]! };
  if (storage.kind === 'csr') {
    if (shape.length !== 2 || stored.length !== 1) wrong('A csr array has not two dimensions.');
    // MXNet writes an empty indptr for a matrix without elements.
    const rows = storage.indptr.shape[0]!;
    if (
      storage.indices.shape[0] !== stored[0] ||
      (rows !== shape[0]! + 1 && !(rows === 0 && stored[0] === 0))
    )
      wrong('The indices of a csr array do not fit its shape.');
  } else if (
    shape.length === 0 ||
    stored.length !== shape.length ||
    parts[0]!.shape[0] !== stored[0] ||
    stored.some((dim, i) => i > 0 && dim !== shape[i])
  ) {
    wrong('The rows of a row-sparse array do not fit its shape.');
  }
  const bytes = ByteHandle.computed(bytesOf(dtype, sizeOf(shape)), async function* () {
    yield await densify(dtype, shape, storage, maxDenseBytes);
  });
  return { dtype, shape, storage, bytes };
}
