import { defineDiagnostics } from '@drover/core/format';

const incomplete =
  'Check that the file is complete (a partial download or a Git LFS pointer is a common cause), and fetch or write it again.';

/** Findings of the TensorFlow format. */
export const tensorflowDiagnostics = defineDiagnostics('tensorflow', {
  table: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'An index file is not the sorted table that it should be: its footer, a block, the place of a block, or the order of its keys is wrong.',
    help: incomplete,
  },
  checksum: {
    failure: 'malformed',
    severity: 'error',
    summary: 'Bytes of a checkpoint do not have the CRC-32C that was stored with them.',
    help: incomplete,
  },
  bundle: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'The entries of a checkpoint contradict themselves or one another: a size that type and shape do not ask for, a weight file that is not counted, bytes that two tensors share in part.',
    help: 'The checkpoint is damaged, or its files are of several checkpoints: fetch or write all of them again.',
  },
  slices: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'The slices of a partitioned variable do not make it up: they overlap, leave a gap or lie outside it, or one is missing.',
    help: 'The checkpoint is damaged, or its writer is at fault: write it again.',
  },
  'object-graph': {
    failure: 'malformed',
    severity: 'error',
    summary:
      'The graph of the objects that own the variables of a checkpoint cannot be read, or refers to an object that it does not have.',
    help: 'The checkpoint is damaged, or the text was changed on its way: write it again.',
  },
  state: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'A file named checkpoint does not say which checkpoint is the latest one, in the text form that TensorFlow writes.',
    help: 'Name the .index file of the checkpoint instead.',
  },
  generation: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'A checkpoint was written by a version of TensorFlow, or in a form, that is not read.',
    help: 'Load the checkpoint in the version of TensorFlow that it is of, and save it again.',
  },
  'left-out': {
    failure: 'note',
    severity: 'warning',
    summary:
      'A tensor of a checkpoint has elements of a type that has no form here (a variant, a resource). It is named and left out.',
    help: 'Nothing to do for weights: such tensors hold the state of iterators and of queues.',
  },
  quantised: {
    failure: 'note',
    severity: 'info',
    summary:
      'A tensor of a checkpoint is quantised. Its codes are read as plain integers; the range that they stand for is another tensor.',
    help: 'Nothing to do.',
  },
  'graph-left': {
    failure: 'note',
    severity: 'warning',
    summary:
      'The graph of the objects that own the variables names tensors that are not there any more. It is left out, so that the checkpoint is one of names alone.',
    help: 'Keep all tensors under their names if tf.train.Checkpoint is to restore the result.',
  },
  'metadata-left': {
    failure: 'note',
    severity: 'info',
    summary: 'A checkpoint has texts beside its tensors, which TensorFlow has no place for.',
    help: 'Nothing is lost that TensorFlow would read.',
  },
});
