import { outputFile } from '@drover/node';
import { Weight } from '@drover/core';
import { writeNpz } from '@drover/numpy';
import { matchArrays, readArrayFiles } from '../arrays.js';
import { cliDiagnostics } from '../diagnostics.js';
import { open } from '../open.js';
import type { Outcome } from '../outcome.js';
import { step } from '../progress.js';
import { load } from '../runtimes.js';

interface RunOptions {
  readonly inputs?: readonly string[];
  readonly outputs?: string;
  readonly runtime?: string;
  readonly from?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `drover run MODEL --inputs IN --outputs OUT`. */
export async function runCommand(
  [path]: readonly string[],
  { inputs = [], outputs, runtime, from, force = false, json }: RunOptions,
): Promise<Outcome> {
  const isPiped = outputs === '-';
  const usage = (message: string) =>
    cliDiagnostics.error('usage', { message, origin: { file: outputs ?? '' } });
  if (isPiped && json)
    throw usage('Standard output holds the results or the document of --json, not both.');
  if (outputs !== undefined && !isPiped && !outputs.endsWith('.npz'))
    throw usage('--outputs is written as .npz.');
  const sink = outputs === undefined ? undefined : outputFile(outputs, { force });
  const arrays = await readArrayFiles(inputs);
  const opened = await open(path!, { from });
  const { id, model, diagnostics } = await load(opened, runtime);
  try {
    const matched = matchArrays(model.inputs, arrays, 'in', path!);
    const started = performance.now();
    const results = await step(`Running ${path}`, () => model.run(matched.values));
    const seconds = (performance.now() - started) / 1000;
    if (sink) {
      try {
        const file = await sink.create(sink.main ?? '-');
        await writeNpz(
          file,
          new Map([...results].map(([name, value]) => [name, Weight.from(value)])),
        );
        await file.close();
        await sink.commit();
      } catch (error) {
        await sink.abort();
        throw error;
      }
    }
    const told = [...results].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
    return {
      diagnostics: [...diagnostics, ...matched.diagnostics],
      document: { runtime: id, outputs: told, seconds },
      lines: told.map(({ name, dtype, shape }) => `${name}: ${dtype}[${shape.join(', ')}]`),
      isPiped,
    };
  } finally {
    await model.dispose();
  }
}
