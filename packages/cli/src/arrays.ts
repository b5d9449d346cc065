import type { Tensor } from '@drover/core';
import { openFile } from '@drover/node';
import { readArrays } from '@drover/numpy';
import { decodeMessage, TensorReader, readBytes } from '@drover/onnx/codec';
import { decodeTensor } from '@drover/core';
import type { Signature } from '@drover/runtimes';

/** Arrays of a file by name: .npz, .npy (named `arr_0`) or an ONNX TensorProto (.pb, under its own name). */
export async function readArrayFile(path: string): Promise<Map<string, Tensor>> {
  const source = await openFile(path);
  if (!path.endsWith('.pb')) return readArrays(source);
  const proto = await decodeMessage(source, 'TensorProto');
  const content = await new TensorReader(source).open(proto);
  const { dtype, shape } = content;
  const value: Tensor = content.dtype === 'string' ? { dtype, shape, data: content.data } : decodeTensor(await readBytes(content.data), dtype, shape);
  return new Map([[proto.name ?? '', value]]);
}

/**
 * The arrays that a model's declared values take: by name, by name with the prefix `in_` or `out_`, else in order (`in0`, `in1` … or any names when there are
 * as many as values). Arrays that nothing takes stay out.
 */
export function matchArrays(declared: readonly Signature[], arrays: ReadonlyMap<string, Tensor>, prefix: 'in' | 'out'): Map<string, Tensor> {
  const own = [...arrays.keys()].filter((name) => !name.startsWith(prefix === 'in' ? 'out' : 'in'));
  const left = new Set(own);
  const matched = new Map<string, Tensor>();
  for (const { name } of declared) {
    const key = [name, `${prefix}_${name}`].find((candidate) => left.has(candidate));
    if (key === undefined) continue;
    left.delete(key);
    matched.set(name, arrays.get(key)!);
  }
  const rest = [...left].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  for (const { name } of declared) {
    if (matched.has(name)) continue;
    const key = rest.shift();
    if (key !== undefined) matched.set(name, arrays.get(key)!);
  }
  return matched;
}
