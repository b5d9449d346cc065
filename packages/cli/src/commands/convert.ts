import { convert } from '@drover/core';
import { contentOf, floatTypes } from '@drover/core/format';
import { compareWithModel, runBaseline } from '@drover/parity';
import type { StoreEdit } from '@drover/weights';
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
import { contentAt, mainFile, outputAt, writeOut, writtenText } from '../write-out.js';

interface ConvertOptions extends OpenOptions, CheckOptions {
  readonly entry?: string;
  readonly rewrite?: boolean;
  readonly to?: string;
  readonly verify?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly only?: readonly string[];
  readonly rename?: readonly string[];
  readonly dtype?: string;
}

/** What the command line changes of a checkpoint's tensors; undefined: nothing. */
function editOf({ only, rename, dtype }: ConvertOptions): StoreEdit | undefined {
  if (!only && !rename && dtype === undefined) return undefined;
  const usage = (message: string) =>
    cliDiagnostics.error('usage', { message, origin: { file: '' } });
  const type = floatTypes.find((each) => each === dtype?.toLowerCase());
  if (dtype !== undefined && type === undefined)
    throw usage(`--dtype must be one of ${floatTypes.join(', ')}, not ${JSON.stringify(dtype)}.`);
  const names = rename?.map((each) => {
    const at = each.indexOf('=');
    if (at <= 0) throw usage(`--rename takes OLD=NEW, not ${JSON.stringify(each)}.`);
    return [each.slice(0, at), each.slice(at + 1)] as const;
  });
  return { only, rename: names && new Map(names), dtype: type };
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
  const edit = editOf(options);
  const opened = await open(input!, options);
  const to = await target.load();
  const content = edit ? 'checkpoint' : await contentOf(opened.format, opened.source);
  const out = await outputAt(output!, target, await contentAt(output!, target, content), force);
  const main = mainFile(out);
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
  const {
    result: report,
    files,
    diagnostics,
  } = await writeOut(out, `Converting ${input}`, (format, sink, path) =>
    convert({
      from: opened.format,
      to: format,
      source: opened.source,
      params: opened.params,
      sink,
      dryRun,
      path,
      entry,
      rewrite,
      edit:
        edit &&
        (async (store, report) => (await import('@drover/weights')).editStore(store, edit, report)),
      read: optionValues(opened.format, 'read', { ...options }),
      options: written,
    }),
  );
  const comparison =
    baseline &&
    (await step(`Running ${output}`, async () =>
      compareWithModel(baseline, await open(main, { from: to.id }), {
        ...comparisonOptions(options, using),
        inputLayout: written.inputLayout,
      }),
    ));
  return {
    diagnostics: [...report.diagnostics, ...diagnostics, ...(comparison?.diagnostics ?? [])],
    document: {
      from: report.from,
      to: report.to,
      files,
      tensors: report.tensors,
      unmapped: report.unmapped,
      seconds: (performance.now() - started) / 1000,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      ...(comparison && { parity: comparisonDocument(comparison) }),
    },
    lines: dryRun
      ? [`${input} converts from ${report.from} to ${report.to}.`]
      : [
          `${input} (${report.from}) → ${output} (${report.to}): ${writtenText(files, started)}`,
          ...(comparison ? comparisonLines(comparison) : []),
        ],
    ...(comparison && { hasFailed: comparison.verdict !== 'agree' }),
    isPiped: output === '-',
  };
}
