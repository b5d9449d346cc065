import { defineDiagnostics } from '@drover/core/format';

/** Findings in `.npy` and `.npz` files. */
export const numpyDiagnostics = defineDiagnostics('numpy', {
  format: {
    failure: 'malformed',
    severity: 'error',
    summary: 'A file or an entry of an archive is no array, or it is damaged.',
    help: 'Check that the file is complete. numpy.save, numpy.savez and numpy.savez_compressed write readable ones.',
  },
  size: {
    failure: 'malformed',
    severity: 'error',
    summary: 'The bytes of an array are more or fewer than its shape and type ask for.',
    help: 'The file is truncated or its header is wrong: write it again.',
  },
  dtype: {
    failure: 'unsupported',
    severity: 'error',
    summary:
      'An element type is not one that NumPy and Drover share. Pickled objects are never read.',
    help: 'Cast the array to a plain type, for example float32, before saving.',
  },
  text: {
    failure: 'unsupported',
    severity: 'error',
    summary:
      'A text is one that NumPy and Drover do not share: bytes that are not UTF-8, or an end of NUL characters, which NumPy cannot tell from padding.',
    help: 'Remove the array, or change its text, in the source.',
  },
  raw: {
    failure: 'note',
    severity: 'warning',
    summary:
      'NumPy has no bfloat16. Files hold it as raw elements of two bytes (`V2`), as ml_dtypes writes it and jax.numpy.load reads it.',
    help: 'After numpy.load, `.view(ml_dtypes.bfloat16)` makes numbers of them; with --dtype float32 they are numbers for NumPy alone.',
  },
  'one-array': {
    failure: 'unsupported',
    severity: 'error',
    summary: 'A .npy file holds exactly one array, and another number of tensors is to be written.',
    help: 'Write a .npz, or choose the tensor with --only.',
  },
  renamed: {
    failure: 'note',
    severity: 'info',
    summary: 'A .npy file has no name for its array, so the array is called after the file.',
    help: 'Nothing to do, unless the name matters: a .npz keeps it.',
  },
});
