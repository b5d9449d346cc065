import { basename } from 'node:path';
import { decodeTensor, Weight, type ByteHandle, type Source, type Tensor } from '@drover/core';
import { openFile, type FileSink } from '@drover/node';
import { npyOf, readArrays, writeNpz } from '@drover/numpy/codec';
import { cliDiagnostics } from './diagnostics.js';

/**
 * Arrays of files by name: of .npz their own names, of .npy and of a .pb without a name that of the
 * file. Throws `cli/same-array`.
 */
export async function readArrayFiles(paths: readonly string[]): Promise<Map<string, Tensor>> {
  const all = new Map<string, Tensor>();
  for (const path of paths) {
    for (const [name, value] of await readArrayFile(path)) {
      if (all.has(name))
        throw cliDiagnostics.error('same-array', {
          message: `${JSON.stringify(name)} is given twice.`,
          origin: { file: path },
        });
      all.set(name, value);
    }
  }
  return all;
}

async function readArrayFile(path: string): Promise<Map<string, Tensor>> {
  const source = await openFile(path);
  try {
    if (path.endsWith('.pb')) return await readTensorProto(source, basename(path, '.pb'));
    return await readArrays(source);
  } finally {
    source.close();
  }
}

async function readTensorProto(source: Source, stem: string): Promise<Map<string, Tensor>> {
  const { decodeMessage, TensorReader } = await import('@drover/onnx/codec');
  const proto = await decodeMessage(source, 'TensorProto');
  const { data, dtype, shape } = await new TensorReader(source).open(proto);
  const value: Tensor =
    dtype === 'string' ? { dtype, shape, data } : decodeTensor(await data.read(), dtype, shape);
  return new Map([[proto.name || stem, value]]);
}

/** Writes arrays as .npz into a sink, and leaves nothing there when that fails. */
export async function writeArrays(
  sink: FileSink,
  arrays: ReadonlyMap<string, Tensor>,
): Promise<void> {
  try {
    const files = new Map<string, ByteHandle>();
    for (const [name, value] of arrays) files.set(name, await npyOf(Weight.from(value), name));
    const file = await sink.create(sink.main ?? '-');
    await writeNpz(file, files);
    await file.close();
    await sink.commit();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}
