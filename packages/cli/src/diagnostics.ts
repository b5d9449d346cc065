import { defineDiagnostics } from '@drover/core/format';
import { formats } from '@drover/formats';

const fileNames = new Intl.ListFormat('en', { type: 'disjunction' }).format(
  formats.flatMap(({ about }) => about.fileNames.any),
);

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
    help: `Name the output ${fileNames}, or state --to.`,
  },
  'same-array': {
    failure: 'usage',
    severity: 'error',
    summary: 'Two files of arrays hold arrays of one name, so one would hide the other.',
    help: 'Give each input once.',
  },
  removed: {
    failure: 'note',
    severity: 'info',
    summary:
      'Files of a model that was replaced with --force are removed, because the new model does not consist of them.',
    help: 'Nothing to do.',
  },
  internal: {
    failure: 'malformed',
    severity: 'error',
    summary: 'drover failed in a way that it should not have: this is a defect.',
    help: 'Report it with the file that brought it about and the stack in the message.',
  },
});
