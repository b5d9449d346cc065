import { basename } from 'node:path';
import { Report, runsFormat } from '@drover/core';
import { outputFile } from '@drover/node';
import { matchArrays } from '@drover/parity';
import { readArrayFiles, writeArrays } from '../arrays.js';
import { cliDiagnostics } from '../diagnostics.js';
import { open, type OpenOptions } from '../open.js';
import type { Outcome } from '../outcome.js';
import { step } from '../progress.js';
import { runtimesFor } from '../runtimes.js';

interface RunOptions extends OpenOptions {
  readonly inputs?: readonly string[];
  readonly outputs?: string;
  readonly runtime?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `drover run MODEL --inputs IN --outputs OUT`. */
export async function runCommand(
  [path]: readonly string[],
  { inputs = [], outputs, runtime: named, from, allowLinks, force = false, json }: RunOptions,
): Promise<Outcome> {
  const isPiped = outputs === '-';
  const usage = (message: string) =>
    cliDiagnostics.error('usage', { message, origin: { file: outputs ?? '' } });
  if (isPiped && json)
    throw usage('Standard output holds the results or the document of --json, not both.');
  if (outputs !== undefined && !isPiped && !outputs.endsWith('.npz'))
    throw usage('--outputs is written as .npz.');
  const sink =
    outputs === undefined
      ? undefined
      : outputFile(outputs, { replaces: force ? [basename(outputs)] : [] });
  const arrays = await readArrayFiles(inputs);
  const opened = await open(path!, { from, allowLinks });
  const runtime = runtimesFor(named, opened).find(({ formats }) =>
    runsFormat({ formats }, opened.format.id),
  )!;
  const report = new Report();
  const model = await runtime.load(opened, report);
  try {
    const matched = matchArrays(model.inputs, arrays, 'in', path!);
    const started = performance.now();
    const results = await step(`Running ${path}`, () => model.run(matched.values));
    const seconds = (performance.now() - started) / 1000;
    if (sink) {
      await writeArrays(sink, results);
    }
    const told = [...results].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
    return {
      diagnostics: [...report.diagnostics, ...matched.diagnostics],
      document: { runtime: runtime.id, outputs: told, seconds },
      lines: told.map(({ name, dtype, shape }) => `${name}: ${dtype}[${shape.join(', ')}]`),
      isPiped,
    };
  } finally {
    await model.dispose();
  }
}
