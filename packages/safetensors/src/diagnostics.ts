import { defineDiagnostics } from '@drover/core/format';

/** Findings of the safetensors format. */
export const safetensorsDiagnostics = defineDiagnostics('safetensors', {
  header: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'A file does not begin with a header as safetensors has it: its size in eight bytes, then a JSON object of that size.',
    help: 'Check that the file is complete and is what it is called (a web page or a Git LFS pointer is a common cause).',
  },
  offsets: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'The places of the tensors do not fit: they overlap, leave bytes that belong to none, or have other sizes than types and shapes ask for.',
    help: 'The file is damaged, or its writer is at fault: write it again.',
  },
  dtype: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'A tensor has an element type that Drover does not have.',
    help: 'Cast the tensor in the framework that wrote the file.',
  },
  shard: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'An index and its shards contradict each other: a shard lacks a tensor, or two have one of the same name.',
    help: 'Check that all shards are those of this index: fetch or write them again together.',
  },
  unlisted: {
    failure: 'note',
    severity: 'warning',
    summary: 'A shard holds a tensor that the index does not list. It is read like the others.',
    help: 'Check that the shard belongs to this index.',
  },
  metadata: {
    failure: 'note',
    severity: 'warning',
    summary:
      'The shards of an index, or the index itself, have different texts under one key of their metadata. The first one is kept.',
    help: 'Check that the shards were written together.',
  },
  text: {
    failure: 'unsupported',
    severity: 'error',
    summary:
      'A name of a tensor, or a text of the metadata, is one that a safetensors file cannot hold: `__metadata__`, or no valid Unicode.',
    help: 'Rename the tensor, or remove the text from the metadata.',
  },
  alias: {
    failure: 'unsupported',
    severity: 'error',
    summary:
      'The metadata of a checkpoint has a key that stands for a further name of a tensor, or would be read as one.',
    help: 'Remove the entry from the metadata, or rename the tensor.',
  },
  'other-file': {
    failure: 'io',
    severity: 'error',
    summary:
      'A checkpoint in one file stands where an index would be written, and readers would take it instead.',
    help: 'Move it away, or write under another name.',
  },
});
