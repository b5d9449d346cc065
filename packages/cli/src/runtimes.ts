import { runsFormat, type OpenedModel, type Runtime } from '@drover/core';
import { runtimes } from '@drover/runtimes';
import { cliDiagnostics } from './diagnostics.js';

const either = new Intl.ListFormat('en', { type: 'disjunction' });

/**
 * The runtimes, the named one first. Throws `cli/usage` when that runs none of the models.
 */
export function runtimesFor(
  name: string | undefined,
  ...models: readonly OpenedModel[]
): readonly Runtime[] {
  const named = runtimes.find(({ id }) => id === name);
  if (!named) return runtimes;
  const runs = (runtime: Runtime) => models.some(({ format }) => runsFormat(runtime, format.id));
  if (runs(named)) return [named, ...runtimes.filter((each) => each !== named)];
  const formats = [...new Set(models.map(({ format }) => format.id))];
  throw cliDiagnostics.error('usage', {
    message: `${named.id} does not run models in ${either.format(formats)}.`,
    help: `Use ${either.format(runtimes.filter(runs).map(({ id }) => id))}, or convert the model first.`,
    origin: { file: models[0]!.source.name },
  });
}
