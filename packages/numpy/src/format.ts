import type { Format, Source } from '@drover/core';
import { zipDiagnostics } from '@drover/zip';
import { about } from './about.js';
import { isNpy } from './codec/npy.js';
import { isNpz } from './codec/npz.js';
import { numpyDiagnostics } from './diagnostics.js';
import { writeCheckpoint } from './export/write-checkpoint.js';
import { readCheckpoint } from './import/read-checkpoint.js';

/** Bytes at the start of a file in which the name of the first array of an archive stands. */
const headBytes = 4096;

async function detect(source: Source): Promise<'checkpoint' | undefined> {
  const head = await source.read({ offset: 0, length: Math.min(headBytes, source.size) });
  return isNpy(head) || isNpz(head) ? 'checkpoint' : undefined;
}

/** The files of NumPy: arrays by name in a `.npz`, one array in a `.npy`. */
export const numpy: Format<typeof about.options.read, typeof about.options.write> = {
  ...about,
  diagnostics: [numpyDiagnostics, zipDiagnostics],
  detect,
  checkpoint: { read: readCheckpoint, write: writeCheckpoint },
};
