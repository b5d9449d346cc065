export { encodeFile } from './encode-file.js';
export {
  encodePickle,
  faultOfCall,
  faultOfName,
  LongText,
  PersistentId,
  PickleDict,
  PickleFloat,
  PickleGlobal,
  pickleLimits,
  PickleObject,
  PickleSequence,
  refuseUnsafe,
  scanPickle,
  unpickle,
  type Building,
  type PickleLimits,
  type PickleStream,
  type PickleValue,
  type Unpickled,
  type UnpickleOptions,
} from './pickle/index.js';
export type { NamedView, PytorchContainer, PytorchFile, PytorchPart } from './pytorch-file.js';
export { isPytorchFile, readPytorchFile } from './read-file.js';
export { pytorchLimits, type PytorchLimits } from './read-stream.js';
export { rebuiltOf, viewOfStorage, type Rebuilt } from './rebuild-tensor.js';
export { numpyValueOf, type NumpyValue } from './numpy-array.js';
export { orderedDict, reduceQuantised, reduceTensor, type WritableView } from './reduce-tensor.js';
export { Storages, type Storage, type StorageId } from './storages.js';
export { torchTypeFor, type TorchType } from './torch-types.js';
export { placeOf, viewWeight, type TensorView } from './view-weight.js';
