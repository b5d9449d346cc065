import type { Format } from '@drover/core';
import { zipDiagnostics } from '@drover/zip';
import { about } from './about.js';
import { isPytorchFile } from './codec/read-file.js';
import { pytorchDiagnostics } from './diagnostics.js';
import { writeCheckpoint } from './export/write-checkpoint.js';
import { readCheckpoint } from './import/read-checkpoint.js';

/**
 * The PyTorch format: checkpoints of any version since 0.2, and the weights of `.pt2` and
 * TorchScript. Written as torch.save does today.
 */
export const pytorch: Format<typeof about.options.read, typeof about.options.write> = {
  ...about,
  diagnostics: [pytorchDiagnostics, zipDiagnostics],
  detect: async (source) => ((await isPytorchFile(source)) ? 'checkpoint' : undefined),
  checkpoint: { read: readCheckpoint, write: writeCheckpoint },
};
