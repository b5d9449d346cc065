import { basename } from 'node:path';
import { decodeTensor, isFloat, type Diagnostic, type Source, type Tensor } from '@drover/core';
import { openFile } from '@drover/node';
import { readArrays } from '@drover/numpy';
import type { Signature } from '@drover/runtimes';
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

/** Arrays that a model's values take, with what there is to say about it. */
export interface MatchedArrays {
  readonly values: Map<string, Tensor>;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Matches arrays with the values that a model declares: by name, by name with the prefix `in_` or
 * `out_`; what is left, the first that fits in type and shape, in the order of the names. An
 * archive may hold inputs and outputs: names that begin with the other side's prefix do not take
 * part.
 */
export function matchArrays(
  declared: readonly Signature[],
  arrays: ReadonlyMap<string, Tensor>,
  side: 'in' | 'out',
  file: string,
): MatchedArrays {
  const other = side === 'in' ? 'out' : 'in';
  const isOther = (name: string) =>
    new RegExp(`^${other}(_|\\d|$)`).test(name) && !declared.some((value) => value.name === name);
  const left = new Map(
    [...arrays]
      .filter(([name]) => !isOther(name))
      .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })),
  );
  const values = new Map<string, Tensor>();
  const diagnostics: Diagnostic[] = [];
  const take = (name: string, key: string) => {
    values.set(name, left.get(key)!);
    left.delete(key);
  };
  for (const { name } of declared) {
    const bare = name.replace(/:\d+$/, '');
    const key = [name, `${side}_${name}`, bare, `${side}_${bare}`].find((candidate) =>
      left.has(candidate),
    );
    if (key !== undefined) take(name, key);
  }
  for (const signature of declared.filter(({ name }) => !values.has(name))) {
    const key = [...left.keys()].find((candidate) => fits(signature, left.get(candidate)!));
    if (key === undefined) continue;
    take(signature.name, key);
    // in0, in1, … say by themselves that they count.
    if (!/^(in|out)\d+$/.test(key)) {
      diagnostics.push(
        cliDiagnostics.diagnostic('array-by-order', {
          message: `${JSON.stringify(key)} is taken for ${JSON.stringify(signature.name)}.`,
          origin: { file },
        }),
      );
    }
  }
  for (const name of left.keys()) {
    diagnostics.push(
      cliDiagnostics.diagnostic('array-unused', {
        message: `Nothing in the model takes ${JSON.stringify(name)}.`,
        origin: { file },
      }),
    );
  }
  return { values, diagnostics };
}

function fits({ dtype, shape }: Signature, value: Tensor): boolean {
  if (dtype !== undefined && (dtype === 'string') !== (value.dtype === 'string')) return false;
  if (dtype !== undefined && isFloat(value.dtype) && !isFloat(dtype)) return false;
  return (
    shape === undefined ||
    (shape.length === value.shape.length &&
      shape.every((dim, axis) => typeof dim !== 'number' || dim === value.shape[axis]))
  );
}
