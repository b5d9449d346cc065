import {
  bytesOf,
  coreDiagnostics,
  sizeOf,
  type ByteHandle,
  type DType,
  type SinkFile,
} from '@drover/core';
import { typeFlagOf } from './type-flag.js';

/** One array to write. */
export interface WritableArray {
  /** With `arg:` or `aux:` where the reader expects them. */
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The elements, little-endian in C order. They are read once, when the array's turn has come. */
  readonly bytes: ByteHandle;
}

/**
 * Writes a params file as `mx.nd.save` of MXNet 1.9.1 does: named V2 records on the CPU. Arrays
 * pass through in pieces. Throws `core/not-writable` for types that MXNet lacks and for scalars (a
 * V2 record without dimensions is no array), and `core/range` for bytes that type and shape do not
 * ask for, before anything is written.
 */
export async function encodeParams(
  file: SinkFile,
  arrays: readonly WritableArray[],
  path: string,
): Promise<void> {
  for (const array of arrays) checkWritable(array, path);
  await file.write(words(u64(0x112), u64(0), u64(arrays.length)));
  for (const array of arrays) {
    const dims = array.shape.map((dim) => u64(dim));
    await file.write(
      words(
        u32(0xf993fac9),
        u32(0),
        u32(array.shape.length),
        ...dims,
        u32(1),
        u32(0),
        u32(typeFlagOf(array.dtype)!),
      ),
    );
    for await (const chunk of array.bytes.chunks()) await file.write(chunk);
  }
  await file.write(u64(arrays.length));
  for (const { name } of arrays) {
    const text = new TextEncoder().encode(name);
    await file.write(words(u64(text.length), text));
  }
}

function checkWritable({ name, dtype, shape, bytes }: WritableArray, path: string): void {
  const origin = { file: path, node: name };
  if (typeFlagOf(dtype) === undefined)
    throw coreDiagnostics.error('not-writable', {
      message: `${name} is ${dtype}, a type that MXNet does not have.`,
      origin,
    });
  if (shape.length === 0)
    throw coreDiagnostics.error('not-writable', {
      message: `${name} is a scalar, which MXNet 1.9 does not store.`,
      origin,
    });
  if (bytes.length !== bytesOf(dtype, sizeOf(shape)))
    throw coreDiagnostics.error('range', {
      message: `${name} has ${bytes.length} bytes, which are not ${dtype}[${shape.join(', ')}].`,
      origin,
    });
}

function words(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, bytes) => sum + bytes.length, 0));
  let at = 0;
  for (const bytes of parts) {
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

function u32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value, true);
  return out;
}

function u64(value: number): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt(value), true);
  return out;
}
