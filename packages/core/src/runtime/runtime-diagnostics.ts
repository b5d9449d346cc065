import { defineDiagnostics } from '../diagnostics/diagnostic.js';

/** Findings of the adapters that run models, wherever they are. */
export const runtimeDiagnostics = defineDiagnostics('runtimes', {
  'not-installed': {
    failure: 'io',
    severity: 'error',
    summary: 'A runtime is not installed, or cannot be started.',
    help: 'Install the runtime that the message names.',
  },
  refused: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'A runtime cannot load a model.',
    help: 'The message is the runtime’s own. Check that the model is complete and that this version of the runtime has all its operators.',
  },
  failed: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'A runtime loaded a model and failed while it ran.',
    help: 'The message is the runtime’s own. Check the shapes of the inputs.',
  },
  crashed: {
    failure: 'unsupported',
    severity: 'error',
    summary: 'The process that a runtime ran in ended by itself: a fault of the runtime.',
    help: 'Try inputs of other sizes, another version of the runtime, or another runtime. A SIGKILL that nobody sent means that memory was short.',
  },
  'timed-out': {
    failure: 'limit',
    severity: 'error',
    summary: 'A runtime gave no answer in time, and its process was ended.',
    help: 'Give it smaller inputs or more time, or take another runtime.',
  },
});
