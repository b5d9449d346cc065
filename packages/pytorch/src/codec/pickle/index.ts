export { encodePickle } from './encode-pickle.js';
export { pickleLimits, type PickleLimits, type PickleStream } from './pickle-stream.js';
export {
  LongText,
  PersistentId,
  PickleDict,
  PickleFloat,
  PickleGlobal,
  PickleObject,
  PickleSequence,
  type PickleValue,
} from './pickle-value.js';
export { faultOfCall, faultOfName, type Building } from './python-globals.js';
export { scanPickle } from './scan-pickle.js';
export { refuseUnsafe, unpickle, type Unpickled, type UnpickleOptions } from './unpickle.js';
