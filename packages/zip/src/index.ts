export { zipDiagnostics } from './diagnostics.js';
export { readZipDirectory, readZipEntry, zipLimits, type ZipEntry, type ZipLimits } from './zip.js';
