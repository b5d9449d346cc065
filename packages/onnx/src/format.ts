import type { Format } from '@drover/core';
import { externalFiles, isModel } from './codec/index.js';
import { copyModel, planModel, writeModel } from './export/write-model.js';
import { readModel } from './import/read-model.js';

/**
 * The ONNX format (onnx.ai): reads operator sets 7 to 23 and writes from 13 on, 21 unless asked.
 */
export const onnx: Format = {
  id: 'onnx',
  fileName: 'model.onnx',
  detect: isModel,
  files: externalFiles,
  read: readModel,
  write: writeModel,
  plan: planModel,
  copy: copyModel,
};
