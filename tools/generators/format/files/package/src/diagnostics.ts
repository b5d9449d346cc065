import { defineDiagnostics } from '@drover/core/format';

/** Findings of the __title__ format. */
export const __name__Diagnostics = defineDiagnostics('__name__', {
  version: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'A model file has a version that is not read.',
    help: 'Write the model again as version 1.',
  },
  graph: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'A model file is JSON, but not a graph: an operator or an output takes a value that nothing before it makes, or operands are missing.',
    help: 'Check that the file is complete, and that operators stand after those that they need.',
  },
  attribute: {
    failure: 'malformed',
    severity: 'error',
    summary: 'An attribute of an operator is missing or has a value of another kind.',
    help: 'The file was edited or is damaged. Export the model again.',
  },
});
