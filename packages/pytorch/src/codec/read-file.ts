import type { ByteSource } from '@drover/core';
import { readZip } from '@drover/zip';
import { pytorchDiagnostics } from '../diagnostics.js';
import { readLegacyFile } from './legacy-file.js';
import type { PytorchFile } from './pytorch-file.js';
import { pytorchLimits, type PytorchLimits } from './read-stream.js';
import { readZipFile } from './zip-file.js';

/** How a file begins; `tar` and `stream` are of versions before 1.0. */
type Beginning = 'zip' | 'pickle' | 'tar' | 'stream';

const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes);
const headBytes = 265;

/**
 * What a file is by its first bytes, whatever its name: a zip may be named `.tar`. undefined for
 * what is none of PyTorch's.
 */
async function beginningOf(source: ByteSource): Promise<Beginning | undefined> {
  const head = latin1(await source.read({ offset: 0, length: Math.min(headBytes, source.size) }));
  if (head.startsWith('PK\u0003\u0004') || head.startsWith('PK\u0005\u0006')) return 'zip';
  if (head.startsWith('PYTORCH1')) return 'stream';
  if (head.slice(257, 262) === 'ustar') return 'tar';
  // Protocols 2 to 5 begin with their number.
  const protocol = head.charCodeAt(1);
  return head.startsWith('\u0080') && protocol >= 2 && protocol <= 5 ? 'pickle' : undefined;
}

/**
 * Whether a file is one of PyTorch's, or a pickle. Of a zip only the names of its records count.
 */
export async function isPytorchFile(source: ByteSource): Promise<boolean> {
  const beginning = await beginningOf(source);
  if (beginning === 'tar')
    return /^(sys_info|pickle|tensors|storages)\0/.test(
      latin1(await source.read({ offset: 0, length: headBytes })),
    );
  if (beginning !== 'zip') return beginning !== undefined;
  return hasRecords(source);
}

const records =
  /(^|\/)(data\.pkl|constants\.pkl|archive_format|serialized_exported_program\.json)$/i;
const directory = /(^|\/)data\/weights\//;

/** A file that is cut off has no directory: then the name of its first record tells. */
async function hasRecords(source: ByteSource): Promise<boolean> {
  const archive = await readZip(source).catch(() => undefined);
  const names = archive ? archive.entries.map(({ name }) => name) : [await firstName(source)];
  return names.some((name) => records.test(name) || directory.test(name));
}

async function firstName(source: ByteSource): Promise<string> {
  const head = await source.read({ offset: 0, length: Math.min(headBytes + 30, source.size) });
  return head.length < 30 ? '' : latin1(head.subarray(30, 30 + head[26]! + 256 * head[27]!));
}

/**
 * Reads a file of PyTorch's: of torch.save (zip, legacy), torch.jit.save or torch.export.save, or
 * one pickle. Its form is told by its content. All pickles in it are scanned before anything else,
 * and none is run: what they would build is data here, and what would run code when Python loads
 * them refuses the file (`pytorch/unsafe`). Elements are not read. Errors: `pytorch/unsafe`,
 * `pytorch/pickle`, `pytorch/container`, `pytorch/tensor`, `pytorch/generation`, `core/limit`,
 * `core/range` and those of `@drover/zip`.
 */
export async function readPytorchFile(
  source: ByteSource,
  limits: Partial<PytorchLimits> = {},
): Promise<PytorchFile> {
  const all = { ...pytorchLimits, ...limits };
  const beginning = await beginningOf(source);
  if (beginning === 'zip') return readZipFile(source, all);
  if (beginning === 'tar' || beginning === 'stream')
    throw pytorchDiagnostics.error('generation', {
      message: `${source.name} was written by PyTorch ${beginning === 'tar' ? '0.1' : '1.0 as a stream'}.`,
      help: 'Load it with torch up to 2.5 (`torch.load(path, weights_only=False)`, in a sandbox: its pickle was not looked at) and save the state_dict again.',
      origin: { file: source.name, offset: 0 },
    });
  return readLegacyFile(source, all);
}
