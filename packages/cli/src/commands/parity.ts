import type { OpenedModel, Source } from '@drover/core';
import { compareWithExpected, compareWithModel, runBaseline } from '@drover/parity';
import { readArrayFiles } from '../arrays.js';
import {
  baselineOptions,
  checkUsage,
  comparisonOptions,
  inputFiles,
  saveInputs,
} from '../check.js';
import type { CheckOptions } from '../check-options.js';
import { comparisonDocument, comparisonLines } from '../comparison.js';
import { cliDiagnostics } from '../diagnostics.js';
import { sha256, tracked } from '../digest.js';
import { open } from '../open.js';
import type { Outcome } from '../outcome.js';
import { step } from '../progress.js';
import { runtimesFor } from '../runtimes.js';

interface ParityOptions extends CheckOptions {
  readonly expected?: string;
  readonly allowLinks?: boolean;
}

/** `drover parity A [B]`: fails unless every output agrees. */
export async function parityCommand(
  [a, b]: readonly string[],
  options: ParityOptions,
): Promise<Outcome> {
  const { inputs, expected, allowLinks } = options;
  const usage = (message: string) =>
    cliDiagnostics.error('usage', { message, origin: { file: a! } });
  if (b === undefined && expected === undefined)
    throw usage('parity needs a second model, or --expected.');
  if (b !== undefined && expected !== undefined)
    throw usage('parity takes a second model or --expected, not both.');
  if (expected !== undefined && inputs === undefined)
    throw usage('--expected needs the --inputs that it belongs to.');
  checkUsage(options, a!);
  const saved =
    options.saveInputs === undefined ? [] : inputFiles(options.saveInputs, options, false);
  const files: ReadonlyMap<string, Source>[] = [];
  const openTracked = async (path: string): Promise<OpenedModel> => {
    const opened = await open(path, { allowLinks });
    const { source, opened: seen } = tracked(opened.source);
    files.push(seen);
    return { ...opened, source };
  };
  const first = await openTracked(a!);
  const second = b === undefined ? undefined : await openTracked(b);
  const using = runtimesFor(options.runtime, ...(second ? [first, second] : [first]));
  const baseline = await step(`Running ${a}`, async () =>
    runBaseline(first, await baselineOptions(options, using, second)),
  );
  if (options.saveInputs !== undefined) await saveInputs(baseline, saved);
  const how = comparisonOptions(options, using);
  const comparison = second
    ? await step(`Running ${b}`, () => compareWithModel(baseline, second, how))
    : await compareWithExpected(baseline, await readArrayFiles([expected!]), expected!, how);
  const hashes = new Map<string, string>();
  for (const seen of files)
    for (const [name, source] of seen) hashes.set(name, await sha256(source));
  return {
    diagnostics: comparison.diagnostics,
    document: { ...comparisonDocument(comparison), hashes: Object.fromEntries(hashes) },
    lines: comparisonLines(comparison),
    hasFailed: comparison.verdict !== 'agree',
  };
}
