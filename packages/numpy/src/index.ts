export { numpyDiagnostics } from './diagnostics.js';
export { isNpy, npyOf, openNpy } from './npy.js';
export { encodeNpz, openArrays, readArrays, writeNpz } from './npz.js';
