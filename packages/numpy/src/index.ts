export { numpyDiagnostics } from './diagnostics.js';
export { decodeNpy, encodeNpy, isNpy } from './npy.js';
export { encodeNpz, readArrays } from './npz.js';
