import {
  isModel,
  openContent,
  Report,
  TensorStore,
  writeCheckpoint,
  writeModel,
  type Checkpoint,
  type Model,
  type TensorMapping,
} from '@drover/core';
import { openFile } from '@drover/node';
import {
  applyMap,
  applyToCheckpoint,
  applyToModel,
  extractWeights,
  parseRules,
  weightsDiagnostics,
  type Rules,
} from '@drover/weights';
import * as v from 'valibot';
import { cliDiagnostics } from '../diagnostics.js';
import { tensorMap } from '../documents.js';
import { targetFor } from '../formats.js';
import { open, type OpenOptions } from '../open.js';
import { optionValues } from '../option-values.js';
import type { Outcome } from '../outcome.js';
import { step } from '../progress.js';
import { contentAt, outputAt, writeOut, writtenText } from '../write-out.js';

interface WeightsOptions extends OpenOptions {
  readonly to?: string;
  readonly like?: string;
  readonly onto?: string;
  readonly force?: boolean;
  readonly allowMissing?: readonly string[];
  readonly allowExtra?: readonly string[];
  readonly rules?: string;
  readonly tensorMap?: string;
  readonly epsilon?: string;
}

/** Longest map and longest file of rules, in bytes. */
const maxText = 64 * 1024 * 1024;

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

/** The weights of a model as a checkpoint; a checkpoint as it is. */
function weightsOf({ store, format, versions, file }: Model | Checkpoint): Checkpoint {
  return { store, format, versions, file };
}

/** What gives names: a checkpoint, or the weights of a model without the constants of its graph. */
async function readLike(path: string, report: Report, options: OpenOptions): Promise<Checkpoint> {
  const { content } = await read(path, report, { allowLinks: options.allowLinks });
  if (!isModel(content)) return content;
  const weights = [...content.store].filter(({ role }) => role !== 'constant');
  return { ...weightsOf(content), store: new TensorStore(weights) };
}

const usage = (message: string, file: string) =>
  cliDiagnostics.error('usage', { message, origin: { file } });

function epsilonOf({ epsilon }: WeightsOptions): number | undefined {
  // Number takes an empty text for 0.
  const value = epsilon === undefined ? undefined : Number(epsilon.trim() || NaN);
  if (value === undefined || (value >= 0 && value < 1)) return value;
  throw usage(`--epsilon must be a number from 0 to 1, not ${JSON.stringify(epsilon)}.`, '');
}

/** The whole of a small file. */
async function readText(path: string): Promise<string> {
  const source = await openFile(path);
  try {
    if (source.size > maxText) throw usage(`${path} is longer than such a file can be.`, path);
    return new TextDecoder().decode(await source.read());
  } finally {
    source.close();
  }
}

async function readRules(path: string | undefined): Promise<Rules | undefined> {
  return path === undefined ? undefined : parseRules(await readText(path), path);
}

/** The lines of a tensor map: what `drover convert --json` prints, or its `tensors` alone. */
async function readTensorMap(path: string): Promise<readonly TensorMapping[]> {
  const fault = (why: string) =>
    weightsDiagnostics.error('map', { message: `${path}: ${why}`, origin: { file: path } });
  let json: unknown;
  try {
    json = JSON.parse(await readText(path));
  } catch (error) {
    if (error instanceof SyntaxError) throw fault(`${error.message}.`);
    throw error;
  }
  const read = v.safeParse(tensorMap, json);
  if (read.success) return read.output.tensors as readonly TensorMapping[];
  const [issue] = read.issues;
  throw fault(`${v.getDotPath(issue) ?? 'it'}: ${issue.message}.`);
}

/** `drover weights apply NEW --onto MODEL OUT`. */
export async function applyCommand(
  [weightsPath, output]: readonly string[],
  options: WeightsOptions,
): Promise<Outcome> {
  const started = performance.now();
  const { onto, like, force = false, allowLinks, rules, tensorMap } = options;
  const report = new Report();
  if (tensorMap !== undefined && (like !== undefined || rules !== undefined))
    throw usage('--tensor-map says everything; --like and --rules are for finding it.', tensorMap);
  const target = await read(onto!, report, options);
  const to = targetFor(output!, options.to, target.format);
  const writes = await contentAt(output!, to, isModel(target.content) ? 'model' : 'checkpoint');
  const out = await outputAt(output!, to, writes, force);
  const written = optionValues(to.about, 'write', { ...options });
  const weights = await read(weightsPath!, report, { allowLinks });
  const given = {
    weights: weights.content,
    allow: { missing: options.allowMissing, extra: options.allowExtra },
    report,
  };
  const map = tensorMap === undefined ? undefined : await readTensorMap(tensorMap);
  const application = {
    ...given,
    like: like === undefined ? undefined : await readLike(like, report, options),
    rules: await readRules(rules),
    epsilon: epsilonOf(options),
  };
  const { content } = target;
  const filled = await step(`Matching ${weightsPath}`, async () => {
    if (!isModel(content)) {
      if (map) throw usage('--tensor-map is for models.', onto!);
      return applyToCheckpoint(content, application);
    }
    return map ? applyMap(content, { ...given, map }) : applyToModel(content, application);
  });
  const { result, files, diagnostics } = await writeOut(
    out,
    `Writing ${output}`,
    (format, sink, path) => {
      const request = { to: format, sink, path, report, options: written };
      return isModel(filled) && writes === 'model'
        ? writeModel(filled, request)
        : writeCheckpoint(weightsOf(filled), request);
    },
  );
  return {
    diagnostics: [...result.diagnostics, ...diagnostics],
    document: {
      from: weights.format.id,
      to: to.about.id,
      files,
      // What the model keeps is no line of the map from the weights.
      tensors: result.tensors.filter(({ source }) => weights.content.store.has(source)),
    },
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
  const { like, force = false, allowMissing, allowExtra, rules } = options;
  const report = new Report();
  const known = await readLike(like!, report, options);
  const { content, format: from } = await read(modelPath!, report, options);
  if (!isModel(content))
    throw usage(
      `${modelPath} is a checkpoint: \`drover weights apply ${modelPath} --onto ${like} ${output}\` carries it under other names.`,
      modelPath!,
    );
  const to = targetFor(output!, options.to, undefined);
  const out = await outputAt(output!, to, 'checkpoint', force);
  const written = optionValues(to.about, 'write', { ...options });
  const checkpoint = await step(`Matching ${modelPath}`, async () =>
    extractWeights(content, {
      like: known,
      allow: { missing: allowMissing, extra: allowExtra },
      rules: await readRules(rules),
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
