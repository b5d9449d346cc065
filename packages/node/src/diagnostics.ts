import { defineDiagnostics } from '@drover/core/format';

/** Findings about files, folders and streams. */
export const nodeDiagnostics = defineDiagnostics('node', {
  'cannot-read': {
    failure: 'io',
    severity: 'error',
    summary: 'A file cannot be opened or read.',
    help: 'Check the path and the permissions.',
  },
  'cannot-write': {
    failure: 'io',
    severity: 'error',
    summary: 'A file cannot be written; nothing of it is left behind.',
    help: 'Check the free space and the permissions of the folder.',
  },
  exists: {
    failure: 'io',
    severity: 'error',
    summary: 'Something stands where a file would be written.',
    help: 'Choose another place, or use --force to replace the model that is there.',
  },
  'no-model': {
    failure: 'io',
    severity: 'error',
    summary: 'A folder holds no file that is known as a model.',
    help: 'Name the file of the model: a model.json, a NAME-symbol.json or a NAME.onnx.',
  },
  'ambiguous-model': {
    failure: 'usage',
    severity: 'error',
    summary: 'A folder holds several models.',
    help: 'Name the file of the model that you mean.',
  },
  'one-stream': {
    failure: 'usage',
    severity: 'error',
    summary: 'Standard output can hold one file only, and the format has several.',
    help: 'Name a file or a folder to write to.',
  },
  'stream-size': {
    failure: 'limit',
    severity: 'error',
    summary: 'A stream gives more bytes than an array can hold.',
    help: 'Give a file instead of a stream.',
  },
});
