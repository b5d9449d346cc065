import { defineDiagnostics } from '@drover/core/format';

/** Findings of the ONNX format. */
export const onnxDiagnostics = defineDiagnostics('onnx', {
  empty: {
    failure: 'malformed',
    severity: 'error',
    summary: 'The file is empty, or it holds no graph.',
    help: 'Check that the file was written completely and is an ONNX model, not a tensor or another protobuf file.',
  },
  'tensor-dtype': {
    failure: 'unsupported',
    severity: 'error',
    summary:
      'A tensor has an element type that is unknown here, or that cannot be stored in the way the tensor stores it.',
    help: 'Store the tensor in a type that ONNX IR 13 defines; strings belong in string_data.',
  },
  'tensor-shape': {
    failure: 'malformed',
    severity: 'error',
    summary: 'The dimensions of a tensor are negative, too many, or too large to count.',
    help: 'The model is damaged, or its exporter wrote wrong dimensions.',
  },
  'tensor-size': {
    failure: 'malformed',
    severity: 'error',
    summary: 'A tensor holds more or less data than its type and shape say.',
    help: 'The model is damaged or truncated, or its exporter wrote a wrong shape.',
  },
  'tensor-data': {
    failure: 'malformed',
    severity: 'error',
    summary:
      'The data of a tensor contradicts itself: stored twice, values out of range of the type, text that is not UTF-8.',
    help: 'The model is damaged, or its exporter is at fault. Export it again.',
  },
  'external-data': {
    failure: 'malformed',
    severity: 'error',
    summary:
      'The entries that say where a tensor lies in another file are incomplete or not numbers.',
    help: 'External data needs `location`, and where given `offset` and `length` as decimal numbers of bytes.',
  },
  'external-entry-ignored': {
    failure: 'note',
    severity: 'warning',
    summary:
      'An entry about external data has no effect here: its key is unknown, or it is a checksum, which is not verified.',
    help: 'Nothing to do when the weights come from where you expect.',
  },
  training: {
    failure: 'note',
    severity: 'warning',
    summary: 'The graphs that say how the model is initialised and trained are left out.',
    help: 'Nothing to do for inference. A copy as ONNX keeps them.',
  },
  graph: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'The graph contradicts itself: a value that nothing makes, a cycle, a function that calls itself, a missing operand, attribute or output.',
    help: 'The model is damaged, or its exporter is at fault. Export it again.',
  },
  opset: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'The version of the operator set, or of the format itself, cannot be read or written.',
    help: 'Operator sets 7 to 28 are read and 13 to 23 are written. The official version converter (onnx.version_converter) moves a model to another one.',
  },
});
