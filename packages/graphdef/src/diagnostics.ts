import { defineDiagnostics } from '@drover/core/format';

/** Findings of the dialect that TF.js, SavedModel and frozen graphs share. */
export const graphdefDiagnostics = defineDiagnostics('graphdef', {
  graph: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'A TensorFlow graph breaks a rule: a reference that leads nowhere, a circle, a constant without elements.',
    help: 'The file is damaged or its exporter wrote an invalid graph. Export the model again.',
  },
  attribute: {
    failure: 'malformed',
    severity: 'error',
    summary:
      'An attribute of a node is missing or has another kind of value than TensorFlow registers for this operator.',
    help: 'The file is damaged or its exporter wrote an invalid graph. Export the model again.',
  },
});
