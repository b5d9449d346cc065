import { bytesOf, coreDiagnostics } from '@drover/core';
import { mxnetDiagnostics } from '../diagnostics.js';
import type { SparseStorage, StoredPart } from './decode-params.js';
import type { MxnetDType } from './type-flag.js';

/**
 * The elements of a sparse array, filled up with zeros. Throws `mxnet/params` when an index lies
 * outside the array, `core/limit` when the result would be longer than `maxBytes`.
 */
export async function densify(
  dtype: MxnetDType,
  shape: readonly number[],
  storage: SparseStorage,
  maxBytes: number,
): Promise<Uint8Array> {
  const size = bytesOf(dtype, 1);
  const bytes = shape.reduce((product, dim) => product * BigInt(dim), BigInt(size));
  if (bytes > BigInt(maxBytes)) {
    throw coreDiagnostics.error('limit', {
      message: `The sparse array ${dtype}[${shape.join(', ')}] takes ${bytes} bytes when filled up (maxDenseBytes ${maxBytes}).`,
      origin: { file: storage.values.bytes.origin.file },
    });
  }
  const out = new Uint8Array(Number(bytes));
  const values = await storage.values.bytes.read();
  const indices = await readIndices(storage.indices);
  const index = (at: number, below: number): number => {
    const value = indices[at]!;
    if (value < 0n || value >= BigInt(below)) {
      throw mxnetDiagnostics.error('params', {
        message: `Index ${value} of a sparse array lies outside its ${below} places.`,
        origin: storage.indices.bytes.origin,
      });
    }
    return Number(value);
  };
  const [rows, columns] = shape as [number, number];
  if (storage.kind === 'row_sparse') {
    const rowBytes = rows === 0 ? 0 : out.length / rows;
    indices.forEach((_, i) =>
      out.set(values.subarray(i * rowBytes, (i + 1) * rowBytes), index(i, rows) * rowBytes),
    );
    return out;
  }
  const indptr = await readIndices(storage.indptr);
  for (let row = 0; row + 1 < indptr.length; row++) {
    const [begin, end] = [indptr[row]!, indptr[row + 1]!];
    if (begin < 0n || end < begin || end > BigInt(indices.length)) {
      throw mxnetDiagnostics.error('params', {
        message: `Row ${row} of a csr array has the elements ${begin} to ${end} of ${indices.length}.`,
        origin: storage.indptr.bytes.origin,
      });
    }
    for (let i = Number(begin); i < Number(end); i++)
      out.set(
        values.subarray(i * size, (i + 1) * size),
        (row * columns + index(i, columns)) * size,
      );
  }
  return out;
}

async function readIndices({ dtype, shape, bytes: handle }: StoredPart): Promise<bigint[]> {
  const bytes = await handle.read();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at: Record<string, (i: number) => number | bigint> = {
    int64: (i) => view.getBigInt64(8 * i, true),
    uint64: (i) => view.getBigUint64(8 * i, true),
    int32: (i) => view.getInt32(4 * i, true),
    uint32: (i) => view.getUint32(4 * i, true),
    int16: (i) => view.getInt16(2 * i, true),
    uint16: (i) => view.getUint16(2 * i, true),
    int8: (i) => view.getInt8(i),
    uint8: (i) => view.getUint8(i),
  };
  return Array.from({ length: shape[0]! }, (_, i) => BigInt(at[dtype]!(i)));
}
