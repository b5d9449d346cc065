import {
  openContent,
  Report,
  writeCheckpoint,
  writeModel,
  type Checkpoint,
  type Model,
} from '@drover/core';
import { applyToCheckpoint, applyToModel, extractWeights } from '@drover/weights';
import { cliDiagnostics } from '../diagnostics.js';
import { targetFor } from '../formats.js';
import { open, type OpenOptions } from '../open.js';
import { optionValues } from '../option-values.js';
import type { Outcome } from '../outcome.js';
import { step } from '../progress.js';
import { outputAt, writeOut, writtenText } from '../write-out.js';

interface WeightsOptions extends OpenOptions {
  readonly to?: string;
  readonly like?: string;
  readonly onto?: string;
  readonly force?: boolean;
  readonly allowMissing?: readonly string[];
  readonly allowExtra?: readonly string[];
}

const isModel = (content: Model | Checkpoint): content is Model => 'graphs' in content;

/** Reads what the command line names; `--from` and `--params` are for one of several alone. */
async function read(path: string, report: Report, options: OpenOptions) {
  const { source, format, params } = await open(path, options);
  const content = await openContent(source, format, {
    report,
    params,
    options: optionValues(format, 'read', { ...options }),
  });
  return { content, format };
}

/** A checkpoint that gives names. Throws `cli/usage` for a model. */
async function readLike(path: string, report: Report, options: OpenOptions): Promise<Checkpoint> {
  const { content } = await read(path, report, { allowLinks: options.allowLinks });
  if (!isModel(content)) return content;
  throw cliDiagnostics.error('usage', {
    message: `${path} is a model; --like takes a checkpoint.`,
    origin: { file: path },
  });
}

/** `drover weights apply NEW --onto MODEL OUT`. */
export async function applyCommand(
  [weightsPath, output]: readonly string[],
  options: WeightsOptions,
): Promise<Outcome> {
  const started = performance.now();
  const { onto, like, force = false, allowMissing, allowExtra, allowLinks } = options;
  const report = new Report();
  const target = await read(onto!, report, options);
  const to = targetFor(output!, options.to, target.format);
  const out = await outputAt(output!, to, force);
  const written = optionValues(to.about, 'write', { ...options });
  const weights = await read(weightsPath!, report, { allowLinks });
  const application = {
    weights: weights.content,
    like: like === undefined ? undefined : await readLike(like, report, options),
    allow: { missing: allowMissing, extra: allowExtra },
    report,
  };
  const { content } = target;
  const filled = await step(`Matching ${weightsPath}`, async () =>
    isModel(content)
      ? applyToModel(content, application)
      : applyToCheckpoint(content, application),
  );
  const { result, files, diagnostics } = await writeOut(
    out,
    `Writing ${output}`,
    (format, sink, path) => {
      const request = { to: format, sink, path, report, options: written };
      return isModel(filled) ? writeModel(filled, request) : writeCheckpoint(filled, request);
    },
  );
  return {
    diagnostics: [...result.diagnostics, ...diagnostics],
    document: { from: weights.format.id, to: to.about.id, files, tensors: result.tensors },
    lines: [
      `${weightsPath} (${weights.format.id}) onto ${onto} → ${output} (${to.about.id}): ${writtenText(files, started)}`,
    ],
    isPiped: output === '-',
  };
}

/** `drover weights extract MODEL --like CHECKPOINT OUT`. */
export async function extractCommand(
  [modelPath, output]: readonly string[],
  options: WeightsOptions,
): Promise<Outcome> {
  const started = performance.now();
  const { like, force = false, allowMissing, allowExtra } = options;
  const report = new Report();
  const known = await readLike(like!, report, options);
  const { content, format: from } = await read(modelPath!, report, options);
  if (!isModel(content))
    throw cliDiagnostics.error('usage', {
      message: `${modelPath} is a checkpoint: \`drover weights apply ${modelPath} --onto ${like} ${output}\` carries it under other names.`,
      origin: { file: modelPath! },
    });
  const to = targetFor(output!, options.to, undefined);
  const out = await outputAt(output!, to, force);
  const written = optionValues(to.about, 'write', { ...options });
  const checkpoint = await step(`Matching ${modelPath}`, () =>
    extractWeights(content, {
      like: known,
      allow: { missing: allowMissing, extra: allowExtra },
      report,
    }),
  );
  const { result, files, diagnostics } = await writeOut(
    out,
    `Writing ${output}`,
    (format, sink, path) =>
      writeCheckpoint(checkpoint, { to: format, sink, path, report, options: written }),
  );
  return {
    diagnostics: [...result.diagnostics, ...diagnostics],
    document: { from: from.id, to: to.about.id, files, tensors: result.tensors },
    lines: [
      `${modelPath} (${from.id}) → ${output} (${to.about.id}): ${writtenText(files, started)}`,
    ],
    isPiped: output === '-',
  };
}
