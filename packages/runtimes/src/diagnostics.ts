import { defineDiagnostics } from '@drover/core';

/** Findings of the adapters that run models. */
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
  'missing-input': {
    failure: 'usage',
    severity: 'error',
    summary: 'A model declares an input that was not given.',
    help: 'Give every input by the name that the model declares (`drover inspect` lists them).',
  },
  'unknown-input': {
    failure: 'usage',
    severity: 'error',
    summary: 'An input was given that the model does not declare.',
    help: 'Give every input by the name that the model declares (`drover inspect` lists them).',
  },
  'input-type': {
    failure: 'usage',
    severity: 'error',
    summary: 'The values of an input do not fit the element type that the model declares.',
    help: 'Cast the array to the declared type before saving it.',
  },
  'input-shape': {
    failure: 'usage',
    severity: 'error',
    summary: 'The shape of an input does not fit the one that the model declares.',
    help: 'Give an array of the declared shape (`drover inspect` shows it).',
  },
});
