import { defineDiagnostics } from '@drover/core/format';

/** Findings of comparing models. */
export const parityDiagnostics = defineDiagnostics('parity', {
  'no-inputs': {
    failure: 'usage',
    severity: 'error',
    summary:
      'Inputs cannot be made for a model, because it leaves sizes open and runs with none of those that were tried.',
    help: 'Give arrays that the model takes with --inputs.',
  },
  'no-expected': {
    failure: 'usage',
    severity: 'error',
    summary: 'A file of expected outputs lacks one that the model has.',
    help: 'Give every output under the name that the model declares (`drover inspect` lists them).',
  },
  'other-inputs': {
    failure: 'usage',
    severity: 'error',
    summary: 'Two models do not take the same inputs, so that they cannot be compared.',
    help: 'Say which inputs belong together with --map, or choose free sizes with --size.',
  },
  'unknown-value': {
    failure: 'usage',
    severity: 'error',
    summary: 'A pair names an input or output that a model does not have.',
    help: 'Name values as the models do (`drover inspect` lists them): --map FIRST=SECOND.',
  },
  'array-by-order': {
    failure: 'note',
    severity: 'info',
    summary:
      'An array was matched with a value of the model by its place and type, because no array has the name.',
    help: 'Name the arrays as the model names its inputs and outputs (`drover inspect` lists them).',
  },
  'array-unused': {
    failure: 'note',
    severity: 'warning',
    summary: 'An array was given that no value of the model takes.',
    help: 'Check that the arrays belong to this model (`drover inspect` lists its inputs and outputs).',
  },
  'no-oracle': {
    failure: 'note',
    severity: 'warning',
    summary:
      'The reference evaluator cannot compute a model, so both runtimes are held to each other and not to the truth.',
    help: 'The verdict then allows for 1024 units in the last place of the largest value between both sides, which is blunt.',
  },
  'runtime-failed': {
    failure: 'note',
    severity: 'warning',
    summary:
      'A runtime could not run a model, or ended while it did, so the reference evaluator ran it: it shows what drover takes the model to be.',
    help: 'The message is the runtime’s own. Another runtime can be named with --runtime.',
  },
  'run-left-out': {
    failure: 'note',
    severity: 'warning',
    summary: 'A model ran on the first inputs that were made for it, and not on further ones.',
    help: 'Give arrays that the model takes with --inputs, or limits of its inputs with --range.',
  },
  'paired-otherwise': {
    failure: 'note',
    severity: 'info',
    summary: 'Values of two models are held against each other though their names differ.',
    help: 'Say which belong together with --map FIRST=SECOND where that is wrong.',
  },
  uncovered: {
    failure: 'note',
    severity: 'warning',
    summary: 'A part of a model had no say in any output of the runs.',
    help: 'Give inputs that reach it with --inputs, other sizes with --size, or more runs with --seeds.',
  },
  'runtime-absent': {
    failure: 'note',
    severity: 'warning',
    summary:
      'The runtime of a format is not there, so the reference evaluator ran the model: it shows what drover takes the model to be.',
    help: 'Install the runtime to compare with what it computes.',
  },
});
