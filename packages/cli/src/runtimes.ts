import { runsFormat, type OpenedModel, type Runtime } from '@drover/core';
import { runtimes } from '@drover/runtimes';
import { cliDiagnostics } from './diagnostics.js';

const either = new Intl.ListFormat('en', { type: 'disjunction' });

/**
 * The runtime that is named, else the first that runs the model's format. Throws `cli/usage` when
 * the one that is named does not.
 */
export function runtimeFor({ source, format }: OpenedModel, name: string | undefined): Runtime {
  const fitting = runtimes.filter((runtime) => runsFormat(runtime, format.id));
  const chosen = name === undefined ? fitting[0] : fitting.find(({ id }) => id === name);
  if (chosen) return chosen;
  throw cliDiagnostics.error('usage', {
    message: `${name} does not run models in ${format.id}.`,
    help: `Use ${either.format(fitting.map(({ id }) => id))}, or convert the model first.`,
    origin: { file: source.name },
  });
}
