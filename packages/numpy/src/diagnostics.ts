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
});
