import { basename, join } from 'node:path';
import { convert } from '@drover/core';
import { loadFormats } from '@drover/formats';
import { outputFile, outputFolder, ownFiles } from '@drover/node';
import { compareWithModel, runBaseline } from '@drover/parity';
import {
  baselineOptions,
  checkUsage,
  comparisonOptions,
  givenFlags,
  inputFiles,
  saveInputs,
} from '../check.js';
import type { CheckOptions } from '../check-options.js';
import { comparisonDocument, comparisonLines } from '../comparison.js';
import { cliDiagnostics } from '../diagnostics.js';
import { optionValues } from '../option-values.js';
import { targetOf } from '../formats.js';
import { open, type OpenOptions } from '../open.js';
import type { Outcome } from '../outcome.js';
import { step } from '../progress.js';
import { runtimesFor } from '../runtimes.js';

interface ConvertOptions extends OpenOptions, CheckOptions {
  readonly entry?: string;
  readonly rewrite?: boolean;
  readonly to?: string;
  readonly verify?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Says which files of the model that was replaced are gone, the first of them by name. */
function removal(main: string, removed: readonly string[]) {
  const names = removed.slice(0, 8).map((path) => JSON.stringify(path));
  const more = removed.length > names.length ? ` and ${removed.length - names.length} more` : '';
  return cliDiagnostics.diagnostic('removed', {
    message: `Files of the model that was replaced are removed: ${names.join(', ')}${more}.`,
    origin: { file: main },
  });
}

/** `drover convert IN OUT`; with --verify, fails unless every output agrees. */
export async function convertCommand(
  [input, output]: readonly string[],
  options: ConvertOptions,
): Promise<Outcome> {
  const started = performance.now();
  const { verify, dryRun, force = false, json, entry, rewrite } = options;
  const target = targetOf(output!, options.to);
  const usage = (message: string) =>
    cliDiagnostics.error('usage', { message, origin: { file: output! } });
  const written: { readonly inputLayout?: 'nchw' | 'nhwc' } = optionValues(target.about, 'write', {
    ...options,
  });
  if (output === '-' && json)
    throw usage('Standard output holds the model or the document of --json, not both.');
  if (output === '-' && verify) throw usage('--verify reads the output again, so it needs a file.');
  const [flag] = givenFlags(options);
  if (!verify && flag !== undefined) throw usage(`${flag} is for --verify.`);
  checkUsage(options, input!);
  if (dryRun && verify) throw usage('--dry-run writes nothing that --verify could run.');
  const main = target.isFolder ? join(output!, target.about.fileNames.usual) : output!;
  const replaces = force && output !== '-' ? await ownFiles(main, await loadFormats()) : [];
  const opened = await open(input!, options);
  const to = await target.load();
  const saved =
    options.saveInputs === undefined ? [] : inputFiles(options.saveInputs, options, force);
  const using = runtimesFor(options.runtime, opened, { format: to, source: opened.source });
  // Before anything is written: the output may be the input.
  const baseline = verify
    ? await step(`Running ${input}`, async () =>
        runBaseline(opened, await baselineOptions(options, using)),
      )
    : undefined;
  if (baseline && options.saveInputs !== undefined) await saveInputs(baseline, saved);
  const { report, files, removed } = await step(`Converting ${input}`, async (tell) => {
    const sink = target.isFolder
      ? outputFolder(output!, { replaces })
      : outputFile(output!, { replaces });
    let bytes = 0;
    const counted = {
      create: async (path: string) => {
        const file = await sink.create(path);
        const write = (part: Uint8Array) => {
          tell(`${((bytes += part.length) / 1e6).toFixed(1)} MB written`);
          return file.write(part);
        };
        return { write, close: () => file.close() };
      },
      ...(sink.standing && { standing: (path: string) => sink.standing!(path) }),
      commit: () => sink.commit(),
      abort: () => sink.abort(),
    };
    const done = await convert({
      from: opened.format,
      to,
      source: opened.source,
      params: opened.params,
      sink: counted,
      dryRun,
      path: target.isFolder || output === '-' ? undefined : basename(output!),
      entry,
      rewrite,
      read: optionValues(opened.format, 'read', { ...options }),
      options: written,
    });
    return { report: done, files: sink.written, removed: sink.removed };
  });
  const comparison =
    baseline &&
    (await step(`Running ${output}`, async () =>
      compareWithModel(baseline, await open(main, { from: to.id }), {
        ...comparisonOptions(options, using),
        inputLayout: written.inputLayout,
      }),
    ));
  const seconds = (performance.now() - started) / 1000;
  const size = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const what = files.length === 1 ? 'one file' : `${files.length} files`;
  return {
    diagnostics: [
      ...report.diagnostics,
      ...(removed.length > 0 ? [removal(main, removed)] : []),
      ...(comparison?.diagnostics ?? []),
    ],
    document: {
      from: report.from,
      to: report.to,
      files,
      tensors: report.tensors,
      unmapped: report.unmapped,
      seconds,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      ...(comparison && { parity: comparisonDocument(comparison) }),
    },
    lines: dryRun
      ? [`${input} converts from ${report.from} to ${report.to}.`]
      : [
          `${input} (${report.from}) → ${output} (${report.to}): ${what}, ${size.toLocaleString('en')} bytes, ${seconds.toFixed(2)} s`,
          ...(comparison ? comparisonLines(comparison) : []),
        ],
    ...(comparison && { hasFailed: comparison.verdict !== 'agree' }),
    isPiped: output === '-',
  };
}
