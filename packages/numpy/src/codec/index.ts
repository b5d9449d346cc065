export { isNpy, npyOf, openNpy } from './npy.js';
export { encodeNpz, isNpz, openArrays, readArrays, writeNpz } from './npz.js';
