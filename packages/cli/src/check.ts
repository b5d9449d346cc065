import { basename } from 'node:path';
import { runsFormat, Weight, type OpenedModel, type Runtime } from '@drover/core';
import { outputFile } from '@drover/node';
import { writeNpz } from '@drover/numpy';
import type { Baseline, BaselineOptions, ComparisonOptions } from '@drover/parity';
import { runtimes } from '@drover/runtimes';
import { readArrayFiles } from './arrays.js';
import { checkOptions, type CheckOptions } from './check-options.js';
import { cliDiagnostics } from './diagnostics.js';

/** Names of the options that were given, as flags. */
export function givenFlags(options: CheckOptions): string[] {
  const given = new Map<string, unknown>(Object.entries(options));
  return checkOptions()
    .filter((option) => given.get(option.attributeName()) !== undefined)
    .map(({ long }) => long!);
}

/**
 * Throws `cli/usage` where options contradict each other: what makes inputs, and inputs that are
 * given.
 */
export function checkUsage(options: CheckOptions, file: string): void {
  const usage = (message: string) => cliDiagnostics.error('usage', { message, origin: { file } });
  if (options.inputs !== undefined)
    for (const flag of givenFlags(options))
      if (['--seed', '--seeds', '--size', '--range', '--save-inputs'].includes(flag))
        throw usage(`${flag} is for inputs that are made, and --inputs gives them.`);
  if (options.saveInputs !== undefined && !options.saveInputs.endsWith('.npz'))
    throw usage('--save-inputs is written as .npz.');
}

/**
 * The runtimes with the named one first. Throws `cli/usage` when it runs none of the models'
 * formats.
 */
export function runtimesFor(
  name: string | undefined,
  ...models: readonly OpenedModel['format'][]
): readonly Runtime[] {
  const named = runtimes.find(({ id }) => id === name);
  if (!named) return runtimes;
  if (!models.some(({ id }) => runsFormat(named, id)))
    throw cliDiagnostics.error('usage', {
      message: `${named.id} does not run models in ${models.map(({ id }) => id).join(' or ')}.`,
      origin: { file: '' },
    });
  return [named, ...runtimes.filter((each) => each !== named)];
}

/** How the first model is run. */
export async function baselineOptions(
  options: CheckOptions,
  using: readonly Runtime[],
): Promise<BaselineOptions> {
  return {
    runtimes: using,
    inputs: options.inputs && (await readArrayFiles(options.inputs)),
    seed: options.seed,
    seeds: options.seeds,
    sizes: options.size,
    ranges: options.range,
  };
}

/** How the second model is held against the first. */
export function comparisonOptions(
  { map, atol, rtol }: CheckOptions,
  using: readonly Runtime[],
): ComparisonOptions {
  const isFixed = atol !== undefined || rtol !== undefined;
  return {
    runtimes: using,
    map,
    fixed: isFixed ? { atol: atol ?? 0, rtol: rtol ?? 0 } : undefined,
  };
}

/** Writes the inputs of each run: the first to the file, the others beside it, `-2` and on. */
export async function saveInputs({ runs }: Baseline, path: string): Promise<void> {
  for (const [i, { inputs }] of runs.entries()) {
    const own = i === 0 ? path : path.replace(/\.npz$/, `-${i + 1}.npz`);
    const sink = outputFile(own, { replaces: [basename(own)] });
    try {
      const file = await sink.create(sink.main ?? basename(own));
      await writeNpz(file, new Map([...inputs].map(([name, value]) => [name, Weight.from(value)])));
      await file.close();
      await sink.commit();
    } catch (error) {
      await sink.abort();
      throw error;
    }
  }
}
