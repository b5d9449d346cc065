export { zipDiagnostics } from './diagnostics.js';
export { zipLimits, type ZipLimits } from './zip-directory.js';
export type { ZipEntry, ZipNames } from './zip-entry.js';
export { readZip, type ReadZipOptions, type ZipArchive } from './zip-archive.js';
export { ZipWriter, type AddOptions, type ZipWriterOptions } from './zip-writer.js';
