import { defineDiagnostics } from '@drover/core/format';

/** Findings about protobuf messages, whatever they mean. */
export const protobufDiagnostics = defineDiagnostics('protobuf', {
  wire: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'The bytes are not a protobuf message: a bad tag, a length past the end, a truncated number.',
    help: 'Check that the file is complete and really of its format (a partial download, a Git LFS pointer or an HTML page is a common cause).',
  },
  'too-large': {
    failure: 'unsupported',
    severity: 'error',
    summary: 'A protobuf message cannot be larger than 2 GiB.',
    help: 'Keep large content outside the message: ONNX models hold it in an external data file.',
  },
  unencodable: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'A value does not fit the field that should hold it: an integer out of range, text that is not Unicode.',
    help: 'What is being written holds a value that the format cannot store. Check where it came from.',
  },
});
