import { basename, join } from 'node:path';
import { convert, type WriteOptions } from '@drover/core';
import { outputFile, outputFolder } from '@drover/node';
import { compareWithModel, runBaseline } from '@drover/parity';
import { runtimes } from '@drover/runtimes';
import { readArrayFiles } from '../arrays.js';
import { comparisonDocument, comparisonLines } from '../comparison.js';
import { cliDiagnostics } from '../diagnostics.js';
import { targetOf } from '../formats.js';
import { open, type OpenOptions } from '../open.js';
import type { Outcome } from '../outcome.js';
import { step } from '../progress.js';

interface ConvertOptions extends WriteOptions, OpenOptions {
  readonly to?: string;
  readonly verify?: boolean;
  readonly inputs?: readonly string[];
  readonly seed?: number;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/**
 * Options that one format only knows: given for another one, they would be passed over in silence.
 */
const belongs = {
  opset: ['--opset', 'onnx'],
  quantize: ['--quantize', 'tfjs'],
  shardSize: ['--shard-size', 'tfjs'],
} as const;

/** `drover convert IN OUT`; with --verify, fails unless every output agrees. */
export async function convertCommand(
  [input, output]: readonly string[],
  options: ConvertOptions,
): Promise<Outcome> {
  const started = performance.now();
  const {
    to,
    verify,
    inputs,
    seed,
    dryRun,
    force = false,
    json,
    opset,
    inputLayout,
    quantize,
    shardSize,
  } = options;
  const target = await targetOf(output!, to);
  const usage = (message: string) =>
    cliDiagnostics.error('usage', { message, origin: { file: output! } });
  for (const [key, [option, format]] of Object.entries(belongs)) {
    if (options[key as keyof typeof belongs] !== undefined && target.format.id !== format)
      throw usage(`${option} is for ${format}, and the output is ${target.format.id}.`);
  }
  if (output === '-' && json)
    throw usage('Standard output holds the model or the document of --json, not both.');
  if (output === '-' && verify) throw usage('--verify reads the output again, so it needs a file.');
  if (!verify && (inputs ?? seed) !== undefined)
    throw usage('--inputs and --seed are for --verify.');
  if (dryRun && verify) throw usage('--dry-run writes nothing that --verify could run.');
  const opened = await open(input!, options);
  // Before anything is written: the output may be the input.
  const baseline = verify
    ? await step(`Running ${input}`, async () =>
        runBaseline(opened, {
          runtimes,
          inputs: inputs && (await readArrayFiles(inputs)),
          seed,
        }),
      )
    : undefined;
  const { report, files } = await step(`Converting ${input}`, async (tell) => {
    const sink = target.isFolder
      ? outputFolder(output!, { force })
      : outputFile(output!, { force });
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
      commit: () => sink.commit(),
      abort: () => sink.abort(),
    };
    const done = await convert({
      from: opened.format,
      to: target.format,
      source: opened.source,
      params: opened.params,
      sink: counted,
      dryRun,
      path: target.isFolder || output === '-' ? undefined : basename(output!),
      opset,
      inputLayout,
      quantize,
      shardSize,
    });
    return { report: done, files: sink.written };
  });
  const main = target.isFolder ? join(output!, target.format.fileName) : output!;
  const comparison =
    baseline &&
    (await step(`Running ${output}`, async () =>
      compareWithModel(baseline, await open(main, { from: target.format.id }), {
        runtimes,
        inputLayout,
      }),
    ));
  const seconds = (performance.now() - started) / 1000;
  const size = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const what = files.length === 1 ? 'one file' : `${files.length} files`;
  return {
    diagnostics: [...report.diagnostics, ...(comparison?.diagnostics ?? [])],
    document: {
      from: report.from,
      to: report.to,
      files,
      tensors: report.tensors,
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
    ...(comparison && { hasFailed: comparison.judgement.verdict !== 'agree' }),
    isPiped: output === '-',
  };
}
