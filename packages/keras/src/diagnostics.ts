import { defineDiagnostics } from '@drover/core/format';

/** Findings of the Keras format. */
export const kerasDiagnostics = defineDiagnostics('keras', {
  hdf5: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'An HDF5 file is damaged, or holds what a Keras file never does: data in other files, unknown filters, groups within themselves.',
    help: 'Check that the file is complete (a partial download or a Git LFS pointer is a common cause).',
  },
  'not-keras': {
    failure: 'malformed',
    severity: 'error',
    summary: 'A file holds no weights as Keras writes them.',
    help: 'Name a file that Keras saved: model.h5, model.weights.h5 or model.keras.',
  },
  'no-elements': {
    failure: 'note',
    severity: 'warning',
    summary:
      'A weight has no elements, or such as have no form here (texts of a vocabulary, other types). It is named in the structure and left out of the tensors.',
    help: 'Keep the source if the model needs it.',
  },
  renamed: {
    failure: 'note',
    severity: 'info',
    summary: 'Two weights of a file have one name. The later one has a number appended.',
    help: 'Rename one of the layers if the name matters.',
  },
  assets: {
    failure: 'note',
    severity: 'warning',
    summary:
      'A .keras archive holds files beside its weights (vocabularies of text layers), which are not carried over.',
    help: 'Keep the source: the layers that use these files cannot be restored without them.',
  },
  'no-config': {
    failure: 'unsupported',
    severity: 'error',
    summary:
      'A whole model was asked for, and the checkpoint has weights alone: nothing says what the layers are.',
    help: 'Write the weights to a path that ends in .weights.h5, and load them into the model that your program builds.',
  },
  code: {
    failure: 'unsupported',
    severity: 'error',
    summary:
      'A layer holds code of Python, or a function of TensorFlow by its name, so that no whole model can be written that is safe to load and says the same.',
    help: 'Write the weights to a path that ends in .weights.h5, and load them into the model that your program builds.',
  },
  meaning: {
    failure: 'unsupported',
    severity: 'error',
    summary:
      'Two versions of Keras compute something else under one name, or one has what the other cannot say.',
    help: 'Write the weights to a path that ends in .weights.h5, and state the function in the model that your program builds.',
  },
  'keras-1': {
    failure: 'unsupported',
    severity: 'error',
    summary:
      'A whole model of Keras 1 went through another format, which lost the order of its weights and what computed it, so that later versions cannot be given them.',
    help: 'Convert the .h5 that Keras 1 saved.',
  },
  'keras-1-weights': {
    failure: 'note',
    severity: 'warning',
    summary:
      'Weights of Keras 1 without the configuration of their layers are written under the names and in the layouts of Keras 1, which later versions do not load.',
    help: 'Convert the whole model (model.save of Keras 1) instead.',
  },
  training: {
    failure: 'note',
    severity: 'warning',
    summary:
      'An argument of a layer that works in training alone has no counterpart in the version of Keras that is written, and is left out.',
    help: 'Nothing is to be done where the model only predicts.',
  },
  optimizer: {
    failure: 'note',
    severity: 'warning',
    summary: 'A state of the optimizer is not loaded by the version of Keras that is written.',
    help: 'Keep the source if training is to go on as if it had not been interrupted.',
  },
  'custom-layer': {
    failure: 'note',
    severity: 'warning',
    summary:
      'A layer is of a class that is not Keras’ own. Its weights are written; it is named, and nobody looks for the class.',
    help: 'Name the class in custom_objects when you load the model.',
  },
  'not-compiled': {
    failure: 'note',
    severity: 'info',
    summary:
      'How a model of one generation of Keras was compiled (optimizer, loss, metrics) is left out of a model of another one.',
    help: 'Compile the model again if training is to go on.',
  },
  text: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'A name of a tensor holds NUL or is no valid Unicode, which HDF5 cannot keep.',
    help: 'Rename the tensor.',
  },
});
