import { defineDiagnostics } from '@drover/core/format';

/** Findings of the TF.js format. */
export const tfjsDiagnostics = defineDiagnostics('tfjs', {
  model: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'A model.json is JSON, but no model of TF.js: it has neither a graph nor layers, nor weights.',
    help: 'Give the model.json that the converter or model.save wrote. Models of tensorflowjs before 1.0 (tensorflowjs_model.pb) must be converted again.',
  },
  weights: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'The weight files and the manifest do not fit: too few or too many bytes, or an entry that TF.js could not read.',
    help: 'Check that all shards are complete and belong to this model.json.',
  },
  layers: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'The model is a layers model, which states Keras layers and no graph.',
    help: 'Convert the Keras model to a graph model: tensorflowjs_converter --output_format=tfjs_graph_model.',
  },
  'as-int32': {
    failure: 'note',
    severity: 'warning',
    summary:
      'Integers of other types are stored as int32, the only one that TF.js has. What does not fit is refused.',
    help: 'Cast them back where the framework that reads them asks for their own type.',
  },
  narrowing: {
    failure: 'unsupported',
    severity: 'error',
    summary:
      'A constant holds an integer that does not fit into the 32 bits that TF.js computes in.',
    help: 'Change the constant in the source model.',
  },
});
