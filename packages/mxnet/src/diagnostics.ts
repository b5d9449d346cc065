import { defineDiagnostics } from '@drover/core/format';

/** Findings of the MXNet format. */
export const mxnetDiagnostics = defineDiagnostics('mxnet', {
  symbol: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'A symbol file is JSON, but not a graph as MXNet writes it: an index leads nowhere or forward, or a field is missing.',
    help: 'Check that the file is complete and was written by Symbol.save, HybridBlock.export or save_checkpoint.',
  },
  attribute: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'An attribute of a node is missing or has a value that MXNet would not accept for this operator.',
    help: 'The file was edited or is damaged. Export the model again.',
  },
  params: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'A params file is not a list of arrays as MXNet writes it: a magic number, a count, a dimension, a type or an index is out of range.',
    help: 'Check that the file is complete (a partial download or a Git LFS pointer is a common cause).',
  },
  npz: {
    failure: 'unsupported',
    severity: 'error',
    summary:
      'The params file is an npz or npy file, as MXNet 2.0 writes in NumPy mode; only the binary list is read.',
    help: 'Load the parameters in MXNet and save them with mx.nd.save.',
  },
  'no-array': {
    failure: 'unsupported',
    severity: 'error',
    summary:
      'A params file holds an array without shape and elements, and the elements are asked for.',
    help: 'Initialise the parameter in MXNet before saving.',
  },
  'array-left': {
    failure: 'note',
    severity: 'warning',
    summary: 'A params file holds an array without shape and elements. It is left out.',
    help: 'Initialise the parameter in MXNet before saving.',
  },
  sparse: {
    failure: 'note',
    severity: 'info',
    summary:
      'A params file holds a sparse array. It is read as the array that it stands for, filled up with zeros.',
    help: 'Nothing to do, unless the zeros take too much room.',
  },
  scalar: {
    failure: 'note',
    severity: 'warning',
    summary:
      'A tensor without dimensions becomes a list of one element, because params files of MXNet 1.9 have no scalars.',
    help: 'Reshape it where the framework that reads it asks for a scalar. Counts of batches are read by none.',
  },
  'other-params': {
    failure: 'io',
    severity: 'error',
    summary:
      'A params file of a later epoch stands where a model would be written, so that readers would take it for the parameters of the new one.',
    help: 'Move it away, or write the model under another prefix.',
  },
  'same-variable': {
    failure: 'note',
    severity: 'info',
    summary:
      'Several variables of a symbol have one name. They are taken for one, as SymbolBlock does; Module refuses them.',
    help: 'Check that they are meant to be one.',
  },
  'unused-param': {
    failure: 'note',
    severity: 'info',
    summary: 'A params file holds an array that the graph does not use.',
    help: 'Nothing is lost: the framework would not use it either.',
  },
  'scalar-output': {
    failure: 'note',
    severity: 'warning',
    summary:
      'An output without dimensions becomes a list of one element, because MXNet 1.9 has no scalars.',
    help: 'Read the one element of the output, or give the output a dimension in the source.',
  },
});
