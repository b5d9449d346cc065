import { defineDiagnostics } from '@drover/core';

/** Findings of the command line. */
export const cliDiagnostics = defineDiagnostics('cli', {
  usage: {
    failure: 'usage',
    severity: 'error',
    summary: 'The command line is not one that drover understands.',
    help: 'See `drover --help`, or `drover COMMAND --help`.',
  },
  'unknown-target': {
    failure: 'usage',
    severity: 'error',
    summary: 'Neither the name of the output nor --to tells the format to write.',
    help: 'Name the output *.onnx, *.json or *-symbol.json, or state --to.',
  },
  'same-array': {
    failure: 'usage',
    severity: 'error',
    summary: 'Two files of arrays hold arrays of one name, so one would hide the other.',
    help: 'Give each input once.',
  },
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
  removed: {
    failure: 'note',
    severity: 'info',
    summary:
      'Files of a model that was replaced with --force are removed, because the new model does not consist of them.',
    help: 'Nothing to do.',
  },
  'no-oracle': {
    failure: 'note',
    severity: 'warning',
    summary:
      'The reference evaluator cannot compute a model, so both runtimes are held to each other and not to the truth.',
    help: 'The verdict then allows for 1024 units in the last place of the largest value between both sides.',
  },
  'runtime-absent': {
    failure: 'note',
    severity: 'warning',
    summary:
      'The runtime of a format is not there, so the reference evaluator ran the model: it shows what drover takes the model to be.',
    help: 'Install the runtime to compare with what it computes.',
  },
  internal: {
    failure: 'malformed',
    severity: 'error',
    summary: 'drover failed in a way that it should not have: this is a defect.',
    help: 'Report it with the file that brought it about and the stack in the message.',
  },
});
