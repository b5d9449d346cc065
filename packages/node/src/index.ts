export { nodeDiagnostics } from './diagnostics.js';
export { openFile, type FileSource, type OpenOptions } from './file-source.js';
export { discardUnfinished } from './interruption.js';
export { openModelFile, readStandardInput } from './open-model-file.js';
export { ownFiles } from './own-files.js';
export { outputFile, outputFolder, type FileSink, type OutputOptions } from './output.js';
export type { WrittenFile } from './staged-file.js';
