import type { Format } from '@drover/core';
import { zipDiagnostics } from '@drover/zip';
import { about } from './about.js';
import { containerOf, shardsOf } from './codec/keras-file.js';
import { kerasDiagnostics } from './diagnostics.js';
import { writeCheckpoint } from './export/write-checkpoint.js';
import { readCheckpoint } from './import/read-checkpoint.js';

/** The Keras format: the weights of whole models and of weight files, of Keras 1, 2 and 3. */
export const keras: Format<typeof about.options.read, typeof about.options.write> = {
  ...about,
  diagnostics: [kerasDiagnostics, zipDiagnostics],
  detect: async (source) => ((await containerOf(source)) ? 'checkpoint' : undefined),
  files: async (source) => ((await containerOf(source)) === 'shards' ? await shardsOf(source) : []),
  checkpoint: { read: readCheckpoint, write: writeCheckpoint },
};
