import type { ByteHandle, ByteSource, Diagnostic, TensorRole } from '@drover/core';
import { JsonCursor, parseJson } from '@drover/core/format';
import { pytorchDiagnostics } from '../diagnostics.js';
import type { NamedView, PytorchFile, PytorchPart } from './pytorch-file.js';
import type { PytorchLimits } from './read-stream.js';
import type { RecordArchive } from './record-archive.js';
import { serializedType } from './torch-types.js';

/** Reads an archive within the archive. */
type ReadNested = (source: ByteSource, limits: PytorchLimits) => Promise<PytorchFile>;

const stridedLayout = 7;
const maxTableBytes = 500_000_000;
const oldProgram = 'serialized_exported_program.json';

/** Whether an archive is that of an ExportedProgram, of any version. */
export function isExportedProgram(archive: RecordArchive): boolean {
  return archive.has('archive_format') || archive.has(oldProgram);
}

/**
 * Reads the weights and constants of a `.pt2`; the graph is not looked at. Three generations: the
 * newest has a table of tensors over raw storages, those before an archive of torch.save for the
 * state dict and one for the constants. What else is pickled in it is scanned, too. Errors as for
 * `readZipFile`.
 * @see https://github.com/pytorch/pytorch/blob/v2.9.0/torch/export/pt2_archive/_package.py
 */
export async function readExportedProgram(
  archive: RecordArchive,
  limits: PytorchLimits,
  readNested: ReadNested,
): Promise<PytorchFile> {
  const format = await archive.text('archive_format');
  if (format !== undefined && format.trim() !== 'pt2')
    throw archive.error(`The archive format is ${JSON.stringify(format.slice(0, 20))}`);
  const tables = archive.names.flatMap((name) => {
    const [, folder, model] = /^data\/(weights|constants)\/(.+)_\1_config\.json$/.exec(name) ?? [];
    return folder === undefined ? [] : [{ name, folder, model: model! }];
  });
  const stateDicts = archive.names.flatMap((name) => {
    const [, folder, model] =
      /^data\/(weights|constants)\/([^/]+)\.pt$/.exec(name) ??
      /^serialized_(state_dict|constants)\.pt$/.exec(name) ??
      [];
    const role: TensorRole | undefined = folder === 'constants' ? 'constant' : undefined;
    return folder === undefined ? [] : [{ name, role, model: model ?? '' }];
  });
  if (archive.names.some((name) => /^serialized_(state_dict|constants)\.json$/.test(name)))
    throw pytorchDiagnostics.error('generation', {
      message: `${archive.source.name} is an ExportedProgram of PyTorch 2.1.`,
      origin: { file: archive.source.name },
    });
  const models = new Set([...tables, ...stateDicts].map(({ model }) => model));
  const pathOf = (model: string) => (models.size > 1 ? [model] : []);
  const parts: PytorchPart[] = [];
  const notes: Diagnostic[] = [];
  const nested = async (name: string): Promise<PytorchFile> =>
    readNested(
      sourceOf(await archive.read(name), `${archive.source.name}/${archive.root}${name}`),
      limits,
    );
  const reader = new TableReader(archive, await archive.isBigEndian(), notes);
  for (const { name, folder, model } of tables) {
    const { tensors, pickled } = await reader.read(name, folder);
    parts.push({ path: pathOf(model), content: { kind: 'tensors', tensors } });
    for (const { file, name: tensor, role } of pickled)
      for (const part of (await nested(file)).parts)
        parts.push({ ...part, path: [...pathOf(model), tensor, ...part.path], role });
  }
  const read = new Set<string>();
  for (const { name, role, model } of stateDicts) {
    read.add(name);
    for (const part of (await nested(name)).parts)
      parts.push({ ...part, path: [...pathOf(model), ...part.path], ...(role && { role }) });
  }
  // Python loads these with the program.
  for (const name of archive.names) if (/\.pt$/.test(name) && !read.has(name)) await nested(name);
  return { container: 'exported-program', versions: await archive.versions(), parts, notes };
}

/** A tensor that is an archive of its own. */
interface PickledTensor {
  readonly name: string;
  readonly file: string;
  readonly role: TensorRole;
}

/** Reads tables of tensors over raw storages. */
class TableReader {
  constructor(
    private readonly archive: RecordArchive,
    private readonly isBigEndian: boolean,
    private readonly notes: Diagnostic[],
  ) {}

  async read(record: string, folder: string) {
    const file = this.archive.source.name;
    const text = (await this.archive.text(record, maxTableBytes))!;
    const tensors: NamedView[] = [];
    const pickled: PickledTensor[] = [];
    const storages = new Map<string, ByteHandle>();
    const table = new JsonCursor(parseJson(text, file), file).require('config');
    for (const [name, entry] of table.members()) {
      const pathName = entry.require('path_name').string();
      const path = `data/${folder}/${pathName}`;
      const isParameter = entry.require('is_param').boolean();
      const role = folder === 'constants' ? 'constant' : isParameter ? 'parameter' : 'buffer';
      if (/^(custom|opaque)_obj_/.test(pathName)) {
        this.#leaveOut('opaque', name, 'is an object of a class of its own, which is not read');
        continue;
      }
      if (entry.require('use_pickle').boolean()) {
        pickled.push({ name, file: path, role });
        continue;
      }
      const meta = entry.require('tensor_meta');
      const type = serializedType(meta.require('dtype').integer());
      if (!type || meta.require('layout').integer() !== stridedLayout) {
        this.#leaveOut('no-elements', name, 'has a type or a layout that is not known');
        continue;
      }
      if (!storages.has(path)) storages.set(path, await this.archive.read(path));
      const numbers = (key: string) => meta.require(key).items().map(intOf);
      const view = {
        type,
        storage: path,
        bytes: storages.get(path)!,
        offset: intOf(meta.require('storage_offset')),
        shape: numbers('sizes'),
        strides: numbers('strides'),
        isBigEndian: this.isBigEndian,
      };
      tensors.push({ name, view, role });
    }
    return { tensors, pickled };
  }

  #leaveOut(code: 'opaque' | 'no-elements', name: string, why: string): void {
    this.notes.push(
      pytorchDiagnostics.diagnostic(code, {
        message: `${JSON.stringify(name)} ${why}.`,
        origin: { file: this.archive.source.name, node: name },
      }),
    );
  }
}

/** A size that is a number: `{"as_int": 3}`. */
const intOf = (size: JsonCursor) => size.require('as_int').integer(0);

/** A record as a file of its own. */
function sourceOf(handle: ByteHandle, name: string): ByteSource {
  return {
    name,
    size: handle.length,
    identity: handle.place,
    read: (range) => handle.read(range),
  };
}
