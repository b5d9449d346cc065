import {
  coreDiagnostics,
  type Checkpoint,
  type Report,
  type Sink,
  TensorStore,
} from '@drover/core';
import { listed, reportStructure, tellTensor, type WriteContext } from '@drover/core/format';
import { about } from '../about.js';
import { encodeFile } from '../codec/encode-file.js';
import { quantisedTypeFor, torchTypeFor } from '../codec/torch-types.js';
import { pytorchDiagnostics } from '../diagnostics.js';
import { PythonObject } from './python-object.js';
import { quantisedOf } from './quantised.js';
import { StorageLayout, type TypedTensor } from './storage-layout.js';
import { nodesIn } from './structure-nodes.js';

/**
 * Writes a checkpoint as torch.save does, so that `torch.load(weights_only=True, mmap=True)` opens
 * it: nested as it was in PyTorch, or a state dict of all names. Tied ones, and those that overlap
 * in the source, share a storage; a transposed one is a view with strides. Objects of classes that
 * the loader does not take become plain data (`pytorch/as-data`) or are left out
 * (`pytorch/left-out`), and so are the texts beside the tensors (`pytorch/metadata`). Throws
 * `core/not-writable` for types that PyTorch does not have and text that is no Unicode.
 */
export async function writeCheckpoint(
  { store: given, format }: Checkpoint,
  sink: Sink,
  context: WriteContext,
): Promise<void> {
  const { path, report } = context;
  const store = nestedHere(given, format, path, report);
  const layout = new StorageLayout(typedTensors(store, path, report));
  report.throwIfErrors();
  const python = new PythonObject(store, layout);
  const object = python.make();
  tell(python, store, path, report);
  const file = await sink.create(path);
  await encodeFile(file, object, layout.storages);
  await file.close();
  for (const { name, weight } of store) tellTensor(name, weight, context.tensor);
}

/**
 * A store without a nesting that is not PyTorch's: there names would be read from it, and be others
 * than those of the tensors.
 */
function nestedHere(store: TensorStore, format: string, file: string, report: Report): TensorStore {
  if (format === about.id) return store;
  reportStructure(store, file, report);
  return new TensorStore(store, { metadata: store.metadata });
}

/** The tensors with the types that they are written in. */
function typedTensors(store: TensorStore, file: string, report: Report): readonly TypedTensor[] {
  const codes = new Set<string>();
  for (const each of store.structure ? nodesIn(store.structure) : []) {
    const quantised = quantisedOf(each);
    if (quantised) codes.add(quantised.codes);
  }
  return [...store].flatMap((tensor) => {
    const { name, aliases, weight } = tensor;
    const isCodes = [name, ...aliases].some((each) => codes.has(each));
    const type = (isCodes && quantisedTypeFor(weight.dtype)) || torchTypeFor(weight.dtype);
    if (type) return [{ tensor, type }];
    report.add(
      coreDiagnostics.diagnostic('not-writable', {
        message: `${name} is ${weight.dtype}[${weight.shape.join(', ')}], a type that PyTorch does not have.`,
        help: 'Cast the tensor in the source.',
        origin: { file, node: name },
      }),
    );
    return [];
  });
}

function tell(python: PythonObject, store: TensorStore, file: string, report: Report): void {
  const add = (
    code: 'as-data' | 'left-out' | 'metadata',
    places: readonly string[],
    said: string,
  ) => {
    if (places.length === 0) return;
    report.add(
      pytorchDiagnostics.diagnostic(code, {
        message: `${said}: ${listed(places)}.`,
        origin: { file },
      }),
    );
  };
  add('as-data', python.asData, 'Written as plain data');
  add('left-out', python.left, 'Left out');
  add('metadata', [...store.metadata.keys()], 'Texts beside the tensors are left out');
}
