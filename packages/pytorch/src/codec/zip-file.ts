import type { ByteSource, Diagnostic } from '@drover/core';
import { pytorchDiagnostics } from '../diagnostics.js';
import { isExportedProgram, readExportedProgram } from './exported-program.js';
import { refuseUnsafe } from './pickle/unpickle.js';
import type { PytorchFile, PytorchPart } from './pytorch-file.js';
import { readWhole, type PytorchLimits } from './read-stream.js';
import { RecordArchive } from './record-archive.js';
import { Storages } from './storages.js';

/**
 * Reads an archive of torch.save, torch.jit.save or torch.export.save. Every pickle in it is
 * scanned, also those that nothing refers to, before anything is taken from one. Errors:
 * `pytorch/unsafe`, `pytorch/pickle`, `pytorch/container`, `pytorch/tensor`, `pytorch/generation`,
 * `core/limit` and those of `@drover/zip`.
 */
export async function readZipFile(source: ByteSource, limits: PytorchLimits): Promise<PytorchFile> {
  const archive = await RecordArchive.open(source);
  if (isExportedProgram(archive)) return readExportedProgram(archive, limits, readZipFile);
  const { parts, unsafe } = await readPickles(archive, limits);
  refuseUnsafe(unsafe);
  if (!archive.has('data.pkl')) {
    if (archive.has('model.json'))
      throw pytorchDiagnostics.error('generation', {
        message: `${source.name} is TorchScript of PyTorch 1.0 or 1.1.`,
        origin: { file: source.name },
      });
    throw archive.error('There is no record "data.pkl"');
  }
  const isScript = archive.has('constants.pkl');
  const used = isScript ? ['data.pkl', 'constants.pkl'] : ['data.pkl'];
  const kept: PytorchPart[] = [];
  for (const name of used) {
    const content = parts.get(name)!;
    const folder = name === 'constants.pkl' ? 'constants' : 'data';
    for (const [key] of content.storages.wanted)
      content.storages.set(key, await archive.read(`${folder}/${key}`));
    kept.push(
      name === 'constants.pkl'
        ? { path: ['CONSTANTS'], role: 'constant', content }
        : { path: [], content },
    );
  }
  const versions = await archive.versions();
  return { container: isScript ? 'torchscript' : 'zip', versions, parts: kept, notes: [] };
}

type PickledContent = PytorchPart['content'] & { readonly kind: 'pickle' };

/** Every pickle of an archive by the name of its record, and what must not be loaded of them. */
async function readPickles(archive: RecordArchive, limits: PytorchLimits) {
  const isBigEndian = await archive.isBigEndian();
  const parts = new Map<string, PickledContent>();
  const unsafe: Diagnostic[] = [];
  const file = archive.source.name;
  for (const record of archive.names.filter((name) => /\.pkl$/i.test(name))) {
    const storages = new Storages(file, `${file}/${record}`, isBigEndian);
    const handle = await archive.read(record);
    const name = archive.root + record;
    const found = await readWhole({ handle, offset: 0, name, file }, storages, limits);
    unsafe.push(...found.unsafe);
    parts.set(record, { kind: 'pickle', value: found.value, storages });
  }
  return { parts, unsafe };
}
