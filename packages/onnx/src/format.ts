import type { Format } from '@drover/core';
import { protobufDiagnostics } from '@drover/protobuf';
import { about } from './about.js';
import { externalFiles } from './codec/external-files.js';
import { isModel } from './codec/detect.js';
import { copyModel, planModel, writeModel } from './export/write-model.js';
import { onnxDiagnostics } from './diagnostics.js';
import { readModel } from './import/read-model.js';

/** The ONNX format (onnx.ai): reads operator sets 7 to 28 and writes 13 to 23, 21 unless asked. */
export const onnx: Format<typeof about.options.read, typeof about.options.write> = {
  ...about,
  diagnostics: [onnxDiagnostics, protobufDiagnostics],
  detect: async (source) => ((await isModel(source)) ? 'model' : undefined),
  files: externalFiles,
  model: { read: readModel, write: writeModel, plan: planModel },
  copy: copyModel,
};
