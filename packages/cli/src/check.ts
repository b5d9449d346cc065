import { basename } from 'node:path';
import type { OpenedModel, Runtime } from '@drover/core';
import { outputFile, type FileSink } from '@drover/node';
import {
  defaultSeeds,
  type Baseline,
  type BaselineOptions,
  type ComparisonOptions,
} from '@drover/parity';
import { readArrayFiles, writeArrays } from './arrays.js';
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

/** How the first model is run, and `second` will be held to it. */
export async function baselineOptions(
  options: CheckOptions,
  using: readonly Runtime[],
  second?: OpenedModel,
): Promise<BaselineOptions> {
  return {
    runtimes: using,
    inputs: options.inputs && (await readArrayFiles(options.inputs)),
    seed: options.seed,
    seeds: options.seeds,
    sizes: options.size,
    ranges: options.range,
    ...(second && { partner: { model: second, map: options.map } }),
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

/**
 * Where the inputs of each run go: the first to the file, the others beside it, `-2` and on. Throws
 * `node/exists` when one of them stands there and is not to be replaced.
 */
export function inputFiles(path: string, { seeds }: CheckOptions, force: boolean): FileSink[] {
  return Array.from({ length: seeds ?? defaultSeeds }, (_, i) => {
    const own = i === 0 ? path : path.replace(/\.npz$/, `-${i + 1}.npz`);
    return outputFile(own, { replaces: force ? [basename(own)] : [] });
  });
}

/** Writes the inputs of each run to its file. */
export async function saveInputs({ runs }: Baseline, sinks: readonly FileSink[]): Promise<void> {
  for (const [i, { inputs }] of runs.entries()) await writeArrays(sinks[i]!, inputs);
}
