import { basename } from 'node:path';
import { decodeTensor, Weight, type Source, type Tensor } from '@drover/core';
import { openFile, type FileSink } from '@drover/node';
import { readArrays, writeNpz } from '@drover/numpy';
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
  const stem = basename(path).replace(/\.\w+$/, '');
  try {
    if (path.endsWith('.pb')) return await readTensorProto(source, stem);
    const arrays = await readArrays(source);
    return path.endsWith('.npy')
      ? new Map([...arrays.values()].map((value) => [stem, value]))
      : arrays;
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
    const file = await sink.create(sink.main ?? '-');
    await writeNpz(file, new Map([...arrays].map(([name, value]) => [name, Weight.from(value)])));
    await file.close();
    await sink.commit();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}
