import type { OpenedModel, Source } from '@drover/core';
import { compareWithExpected, compareWithModel, runBaseline } from '@drover/parity';
import { runtimes } from '@drover/runtimes';
import { readArrayFiles } from '../arrays.js';
import { comparisonDocument, comparisonLines } from '../comparison.js';
import { cliDiagnostics } from '../diagnostics.js';
import { sha256, tracked } from '../digest.js';
import { open } from '../open.js';
import type { Outcome } from '../outcome.js';
import { step } from '../progress.js';

interface ParityOptions {
  readonly inputs?: readonly string[];
  readonly expected?: string;
  readonly seed?: number;
  readonly allowLinks?: boolean;
}

/** `drover parity A [B]`: fails unless every output agrees. */
export async function parityCommand(
  [a, b]: readonly string[],
  { inputs, expected, seed, allowLinks }: ParityOptions,
): Promise<Outcome> {
  const usage = (message: string) =>
    cliDiagnostics.error('usage', { message, origin: { file: a! } });
  if (b === undefined && expected === undefined)
    throw usage('parity needs a second model, or --expected.');
  if (b !== undefined && expected !== undefined)
    throw usage('parity takes a second model or --expected, not both.');
  if (expected !== undefined && inputs === undefined)
    throw usage('--expected needs the --inputs that it belongs to.');
  if (inputs !== undefined && seed !== undefined)
    throw usage('--seed makes inputs, and --inputs gives them.');
  const files: ReadonlyMap<string, Source>[] = [];
  const openTracked = async (path: string): Promise<OpenedModel> => {
    const opened = await open(path, { allowLinks });
    const { source, opened: seen } = tracked(opened.source);
    files.push(seen);
    return { ...opened, source };
  };
  const baseline = await step(`Running ${a}`, async () =>
    runBaseline(await openTracked(a!), {
      runtimes,
      inputs: inputs && (await readArrayFiles(inputs)),
      seed,
    }),
  );
  const comparison =
    b === undefined
      ? compareWithExpected(baseline, await readArrayFiles([expected!]), expected!)
      : await step(`Running ${b}`, async () =>
          compareWithModel(baseline, await openTracked(b), { runtimes }),
        );
  const hashes = new Map<string, string>();
  for (const seen of files)
    for (const [name, source] of seen) hashes.set(name, await sha256(source));
  return {
    diagnostics: comparison.diagnostics,
    document: { ...comparisonDocument(comparison), hashes: Object.fromEntries(hashes) },
    lines: comparisonLines(comparison),
    hasFailed: comparison.judgement.verdict !== 'agree',
  };
}
