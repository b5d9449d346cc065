export { dtypeOf, elementBits, nameOf, type SafetensorsDType } from './dtype.js';
export {
  decodeFile,
  type HeaderLimits,
  type SafetensorsFile,
  type SafetensorsTensor,
} from './decode-file.js';
export { encodeFile, type WritableTensor } from './encode-file.js';
export { decodeIndex, encodeIndex, type ShardIndex } from './index-file.js';
export { partMetadata, type PartedMetadata } from './aliases.js';
