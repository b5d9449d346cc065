import { basename, join } from 'node:path';
import { convert, detectFormat, type WriteOptions } from '@drover/core';
import { discardUnfinished, openFile, openModel, outputFile, outputFolder } from '@drover/node';
import { formatNamed, formats, targetOf } from '../formats.js';
import { exitCodes } from '../exit-code.js';
import type { Outcome } from '../main.js';
import { compare, comparisonDocument, comparisonLines } from './parity.js';

interface ConvertOptions extends WriteOptions {
  readonly from?: string;
  readonly to?: string;
  readonly params?: string;
  readonly verify?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

/** `drover convert IN OUT`. */
export async function convertCommand([input, output]: readonly string[], options: ConvertOptions): Promise<Outcome> {
  const started = performance.now();
  const { from, to, params, verify, dryRun, force = false, opset, inputLayout, quantize, shardSize } = options;
  const target = targetOf(output!, to);
  const source = await openModel(input!);
  const format = from === undefined ? await detectFormat(source, formats) : formatNamed(from);
  const sink = target.isFolder ? outputFolder(output!, { force }) : outputFile(output!, { force });
  process.once('SIGINT', () => {
    discardUnfinished();
    process.exit(exitCodes.interrupted);
  });
  const report = await convert({
    from: format,
    to: target.format,
    source,
    sink,
    dryRun,
    path: sink.main ?? (target.isFolder ? undefined : basename(output!)),
    params: params === undefined ? undefined : await openFile(params),
    opset,
    inputLayout,
    quantize,
    shardSize,
  });
  const comparison = verify && !dryRun ? await compare(input!, target.isFolder ? join(output!, target.format.fileName) : output!, {}) : undefined;
  const seconds = (performance.now() - started) / 1000;
  const files = sink.written;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return {
    diagnostics: report.diagnostics,
    document: { from: report.from, to: report.to, files, tensors: report.tensors, seconds, peakBytes: process.resourceUsage().maxRSS * 1024, ...(comparison && { parity: comparisonDocument(comparison) }) },
    lines: dryRun
      ? [`${input} converts from ${report.from} to ${report.to}.`]
      : [`${input} (${report.from}) → ${output} (${report.to}): ${files.length} files, ${bytes.toLocaleString('en')} bytes, ${seconds.toFixed(2)} s`, ...(comparison ? comparisonLines(comparison) : [])],
    ...(comparison && { hasFailed: comparison.judgement.verdict !== 'agree' }),
  };
}
