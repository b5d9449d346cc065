import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { convert, DroverError } from '@drover/core';
import { outputFolder } from '@drover/node';
import { expectedOutputs, judgeByBaseline, judgeByExpected, runBaseline, type Comparison } from '../comparison.js';
import { cliDiagnostics } from '../diagnostics.js';
import { formatNamed } from '../formats.js';
import { open } from '../open.js';
import type { Outcome } from '../outcome.js';
import { step } from '../progress.js';

interface SuiteOptions {
  readonly to?: string;
  readonly runtime?: string;
}

/** A model, and files of inputs and expected outputs. */
interface Case {
  readonly name: string;
  readonly model: string;
  readonly inputs: readonly string[];
  readonly expected: readonly string[];
}

interface Result {
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly reason?: string;
}

const modelNames = /\.onnx$|-symbol\.json$|^model\.json$/;

/** The cases of one folder: models with data sets by the convention of ONNX, or with a golden.npz. */
function casesIn(folder: string, root: string): Case[] {
  const names = readdirSync(folder).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const label = (path: string) => relative(root, path) || '.';
  const sets = names.filter((name) => /^test_data_set_\d+$/.test(name));
  const golden = names.includes('golden.npz') ? join(folder, 'golden.npz') : undefined;
  const ofSets = (model: string) =>
    sets.map((set) => {
      const parts = readdirSync(join(folder, set)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
      const filesOf = (side: string) =>
        parts.filter((part) => part.startsWith(`${side}_`) && part.endsWith('.pb')).map((part) => join(folder, set, part));
      return { name: label(join(folder, set)), model, inputs: filesOf('input'), expected: filesOf('output') };
    });
  const models = [
    ...names.filter((name) => modelNames.test(name)),
    // TF.js models fill a folder each.
    ...names.filter((name) => existsSync(join(folder, name, 'model.json'))).map((name) => join(name, 'model.json')),
  ].map((name) => join(folder, name));
  if (sets.length > 0) return models.slice(0, 1).flatMap(ofSets);
  return models.flatMap((model) => {
    const own = existsSync(`${model}.golden.npz`) ? `${model}.golden.npz` : golden;
    return own === undefined ? [] : [{ name: label(model), model, inputs: [own], expected: [own] }];
  });
}

/** The cases of a folder and of the folders in it. */
function findCases(folder: string, root = folder): Case[] {
  const own = casesIn(folder, root);
  if (own.length > 0) return own;
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
    .flatMap(({ name }) => findCases(join(folder, name), root));
}

async function compare({ model, inputs, expected }: Case, { to, runtime }: SuiteOptions): Promise<Comparison> {
  const opened = await open(model);
  if (to === undefined) return judgeByExpected(await runBaseline(opened, { inputs, runtime }), expected);
  const folder = mkdtempSync(join(tmpdir(), 'drover-suite-'));
  try {
    const target = await formatNamed(to);
    await convert({ from: opened.format, to: target, source: opened.source, sink: outputFolder(folder) });
    const baseline = await runBaseline(opened, { inputs });
    const { values } = await expectedOutputs(baseline, expected);
    const second = await open(join(folder, target.fileName), { from: to });
    return await judgeByBaseline({ ...baseline, outputs: values }, second, { runtime });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A conversion that is refused, or a runtime that is not there, says nothing about numbers: such a case is skipped. */
async function resultOf(one: Case, options: SuiteOptions): Promise<Result> {
  try {
    const { judgement } = await compare(one, options);
    if (judgement.verdict === 'agree') return { name: one.name, status: 'passed' };
    const reasons = judgement.outputs.flatMap(({ name, reason }) => (reason === null ? [] : [`${name}: ${reason}`]));
    return { name: one.name, status: 'failed', reason: `${judgement.verdict}; ${reasons.join('; ')}` };
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    const first = error.diagnostics.find(({ severity }) => severity === 'error')!;
    const isSkipped = ['core/not-convertible', 'core/foreign-op', 'runtimes/not-installed'].includes(first.code);
    return { name: one.name, status: isSkipped ? 'skipped' : 'failed', reason: `${first.code}: ${first.message}` };
  }
}

/** `drover suite FOLDER`: fails when a case fails, and when none passes. */
export async function suiteCommand([folder]: readonly string[], options: SuiteOptions): Promise<Outcome> {
  if (!existsSync(folder!))
    throw cliDiagnostics.error('usage', { message: `There is no folder ${JSON.stringify(folder)}.`, origin: { file: folder! } });
  const cases = findCases(folder!);
  const results: Result[] = [];
  for (const one of cases) results.push(await step(`${results.length + 1} of ${cases.length}: ${one.name}`, () => resultOf(one, options)));
  const count = (status: Result['status']) => results.filter((result) => result.status === status).length;
  const counts = { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
  return {
    diagnostics: [],
    document: { ...counts, results },
    lines: [
      ...results.map(({ name, status, reason }) => `${status.padEnd(7)} ${name}${reason === undefined ? '' : `: ${reason}`}`),
      `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
    ],
    hasFailed: counts.failed > 0 || counts.passed === 0,
  };
}
