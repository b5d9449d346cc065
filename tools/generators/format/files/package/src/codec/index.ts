export { isModelFile, readModelFile } from './decode.js';
export { writeModelFile, type WritableTensor } from './encode.js';
export {
  modelVersion,
  storedTypes,
  type FileInput,
  type FileOperator,
  type FileOutput,
  type FileTensor,
  type ModelFile,
} from './model-file.js';
export { siblingWeights, weightsPath } from './weights-path.js';
