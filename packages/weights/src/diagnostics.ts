import { defineDiagnostics } from '@drover/core/format';

/** Findings of carrying weights from one file into another. */
export const weightsDiagnostics = defineDiagnostics('weights', {
  missing: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'A tensor that is to be filled has no source: it would keep what it holds.',
    help: 'Say by a rule or a tensor map which tensor it is, or name it with --allow-missing to keep what it holds.',
  },
  extra: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'A tensor has no place where weights are carried to: it would be left out.',
    help: 'Say by a rule or a tensor map where it belongs, or name it with --allow-extra to leave it out.',
  },
  shape: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'Two tensors of one name differ in their shapes, or in the tensors beside them.',
    help: 'Check that both files are of the same architecture and size.',
  },
  ambiguous: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'Several tensors could be each other’s, and neither names, values nor order tell.',
    help: 'Name them in a file of rules (--rules), or give a checkpoint of the old weights with --like.',
  },
  tied: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'A tensor that several layers share would get different values from them.',
    help: 'Take a checkpoint in which these layers have tensors of their own.',
  },
  computed: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'A tensor was computed from others, so its parts cannot be told or changed alone.',
    help: 'Carry the weights into the model before what computes the tensor, and convert again.',
  },
  map: {
    failure: 'malformed',
    severity: 'error',
    summary: 'A tensor map is no map, or its lines do not make whole tensors.',
    help: 'Use the `tensors` of a conversion’s --json, as `drover convert --json` prints them.',
  },
  rules: {
    failure: 'malformed',
    severity: 'error',
    summary: 'A file of rules is no YAML, or not as rules are.',
    help: 'Correct the line that is named: rules are maps of names under `rename`, `layers` and `tensors`.',
  },
  none: {
    failure: 'usage',
    severity: 'error',
    summary: 'A name or pattern that is given stands for nothing.',
    help: 'Look at the names with `drover tensors`.',
  },
  'by-order': {
    failure: 'note',
    severity: 'warning',
    summary:
      'Tensors were matched by their shapes and their order alone: names and values tell nothing.',
    help: 'Compare the result with the source by `drover parity`, or name the tensors in a file of rules.',
  },
  rows: {
    failure: 'note',
    severity: 'warning',
    summary: 'A constant holds the first rows of a table, as far as shapes tell.',
    help: 'Compare the result with the source by `drover parity`; say otherwise in a file of rules.',
  },
  folded: {
    failure: 'note',
    severity: 'warning',
    summary:
      'A batch normalisation of the source is computed into the layer before it, with an epsilon that no checkpoint tells: that of its framework, unless told or shown otherwise.',
    help: 'Where the network was made with another, give it with --epsilon, or the weights that were exported with --like, which show it.',
  },
  narrowed: {
    failure: 'note',
    severity: 'warning',
    summary: 'A tensor is stored in a narrower type, which rounds its elements.',
    help: 'Nothing to do where the error is as small as the type’s own.',
  },
  kept: {
    failure: 'note',
    severity: 'info',
    summary: 'A tensor that only training uses is not carried.',
    help: 'Nothing to do: inference does not read it.',
  },
});
