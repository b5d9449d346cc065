import {
  coreDiagnostics,
  isFloat,
  isInt,
  type Checkpoint,
  type DType,
  type Sink,
} from '@drover/core';
import { flatTensors, tellTensor } from '@drover/core/format';
import type { Writing } from '../about.js';
import { writableTypes, writeWeights } from '../codec/write-model.js';
import { tfjsDiagnostics } from '../diagnostics.js';
import { storageOptions } from './storage-options.js';
import { storedAs } from './stored-as.js';

/** The type in which TF.js holds elements of another: integers of all sizes are its one. */
function heldType(dtype: DType): DType | undefined {
  if (writableTypes.has(dtype)) return dtype;
  return isInt(dtype) ? 'int32' : undefined;
}

/**
 * Writes the tensors of a checkpoint as a manifest, a list of groups as `tf.io.loadWeights` takes
 * it, with its shards; each under each of its names. Integers are stored as int32, which is told
 * (`tfjs/as-int32`); reading one that does not fit throws `tfjs/narrowing`.
 */
export async function writeCheckpoint(
  { store }: Checkpoint,
  sink: Sink,
  { path, report, options, tensor }: Writing,
): Promise<void> {
  const narrowed: string[] = [];
  const weights = flatTensors(store, path, report).flatMap(({ name, weight }) => {
    const dtype = heldType(weight.dtype);
    if (dtype === undefined) {
      report.add(
        coreDiagnostics.diagnostic('not-writable', {
          message: `${JSON.stringify(name)} is ${weight.dtype}, a type that TF.js does not have.`,
          help: isFloat(weight.dtype)
            ? 'Give --dtype float32, which holds every float of fewer bits exactly.'
            : 'Cast the tensor in the source, or leave it out with --only.',
          origin: { file: path, node: name },
        }),
      );
      return [];
    }
    if (dtype !== weight.dtype) narrowed.push(`${JSON.stringify(name)} (${weight.dtype})`);
    return [{ name, weight, dtype }];
  });
  if (narrowed.length > 0)
    report.add(
      tfjsDiagnostics.diagnostic('as-int32', {
        message: `Integers are stored as int32: ${narrowed.join(', ')}.`,
        origin: { file: path },
      }),
    );
  report.throwIfErrors();
  const group = new Map(
    [...store].flatMap(({ name, aliases, role }) =>
      role === 'optimizer' ? [name, ...aliases].map((each) => [each, role] as const) : [],
    ),
  );
  const writable = weights.map((each) => {
    const { name, weight, dtype } = each;
    const own = group.get(name);
    const bytes = storedAs(each, path);
    return { name, dtype, shape: weight.shape, bytes, ...(own && { group: own }) };
  });
  await writeWeights([writable], sink, { path, ...storageOptions(options) });
  for (const { name, weight, dtype } of weights) tellTensor(name, weight.cast(dtype), tensor);
}
