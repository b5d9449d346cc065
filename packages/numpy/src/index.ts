export { numpyDiagnostics } from './diagnostics.js';
export { decodeNpy, encodeNpy, isNpy } from './npy.js';
export { encodeNpz, readArrays } from './npz.js';
export { readZipDirectory, readZipEntry, zipLimits, type ZipEntry, type ZipLimits } from './zip.js';
