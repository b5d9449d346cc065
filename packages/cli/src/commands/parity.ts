import { createHash } from 'node:crypto';
import type { Source, Tensor } from '@drover/core';
import { judge, makeInputs, type Judgement } from '@drover/parity';
import { reference } from '@drover/runtimes';
import { matchArrays, readArrayFile } from '../arrays.js';
import { cliDiagnostics } from '../diagnostics.js';
import { formats } from '../formats.js';
import type { Outcome } from '../main.js';
import { openSource } from '../open.js';
import { load } from '../runtimes.js';

interface ParityOptions {
  readonly inputs?: readonly string[];
  readonly expected?: string;
  readonly seed?: number;
}

/** What a comparison of two models, or of a model with expected outputs, gave. */
export interface Comparison {
  readonly judgement: Judgement;
  readonly inputs: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[] }[];
  readonly runtimes: readonly string[];
}

/** The reference's outputs for a model; undefined when core cannot evaluate it. */
async function oracleOf(source: Source, given: ReadonlyMap<string, Tensor>) {
  try {
    return await (await reference(formats).load(source)).evaluate(given);
  } catch {
    return undefined;
  }
}

/** Values of `from` under the names that the other side uses: equal names, else the same place in the order. */
function renamed(from: ReadonlyMap<string, Tensor>, names: readonly string[]): Map<string, Tensor> {
  const isNamed = names.every((name) => from.has(name));
  return new Map(isNamed ? [...from] : [...from.values()].map((value, i) => [names[i] ?? `output ${i}`, value]));
}

/**
 * Runs two models on the same inputs, each in its own runtime, and judges the second by the first and by the reference; without a second model, the first by
 * expected outputs.
 */
export async function compare(a: string, b: string | undefined, options: ParityOptions): Promise<Comparison> {
  const left = await openSource(a);
  const { id, loaded } = await load(left.source, left.format);
  try {
    const specs = loaded.inputs.map(({ name, dtype, shape }) => ({ name, dtype: dtype ?? 'float32', shape: shape ?? [] }) as const);
    const made = options.inputs
      ? matchArrays(loaded.inputs, new Map((await Promise.all(options.inputs.map(readArrayFile))).flatMap((each) => [...each])), 'in')
      : makeInputs(specs, { seed: options.seed ?? 0 });
    const names = loaded.outputs.map(({ name }) => name);
    const results = await loaded.run(made);
    const oracle = await oracleOf(left.source, made);
    const evidence = { ...(oracle && { oracle: renamed(oracle.outputs, names), allowanceUlp: new Map([...oracle.allowanceUlp.values()].map((ulp, i) => [names[i]!, ulp])) }) };
    const inputs = [...made].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
    if (b === undefined) {
      const expected = matchArrays(loaded.outputs, await readArrayFile(options.expected!), 'out');
      return { judgement: judge(names, { source: expected, target: results, ...evidence }), inputs, runtimes: [id] };
    }
    const right = await openSource(b);
    const other = await load(right.source, right.format);
    try {
      const given = renamed(made, other.loaded.inputs.map(({ name }) => name));
      const target = renamed(await other.loaded.run(given), names);
      return { judgement: judge(names, { source: results, target, ...evidence }), inputs, runtimes: [id, other.id] };
    } finally {
      await other.loaded.dispose();
    }
  } finally {
    await loaded.dispose();
  }
}

const number = (value: number | null) => (value === null ? '–' : value.toExponential(1));

/** Lines for people: the verdict, and a line for each output. */
export function comparisonLines({ judgement }: Comparison): string[] {
  return [
    ...judgement.outputs.map(
      ({ name, verdict, maxAbs, tolerance, reason }) => `${verdict.padEnd(9)} ${name}: largest difference ${number(maxAbs)}, tolerance ${number(tolerance)}${reason === null ? '' : `; ${reason}`}`,
    ),
    `verdict: ${judgement.verdict}`,
  ];
}

/** The fields of a comparison in a command's document. */
export function comparisonDocument({ judgement, inputs, runtimes }: Comparison) {
  const outputs = judgement.outputs.map(({ name, maxAbs, maxRel, maxUlp, tolerance, agree, reason }) => ({ name, maxAbs, maxRel, maxUlp, tolerance, agree, reason }));
  return { verdict: judgement.verdict, outputs, firstDivergence: null, inputs, runtimes };
}

async function digest(path: string): Promise<string> {
  const { source } = await openSource(path);
  return createHash('sha256').update(await source.read()).digest('hex');
}

/** `drover parity A [B]`. */
export async function parityCommand([a, b]: readonly string[], options: ParityOptions): Promise<Outcome> {
  if (b === undefined && options.expected === undefined) {
    throw cliDiagnostics.error('usage', { message: 'parity needs a second model, or --expected.', origin: { file: a! } });
  }
  if (b === undefined && options.inputs === undefined) {
    throw cliDiagnostics.error('usage', { message: '--expected needs the --inputs that it belongs to.', origin: { file: a! } });
  }
  const comparison = await compare(a!, b, options);
  const hashes = Object.fromEntries(await Promise.all([a!, ...(b === undefined ? [] : [b])].map(async (path) => [path, await digest(path)] as const)));
  return {
    diagnostics: [],
    document: { ...comparisonDocument(comparison), seed: options.seed ?? 0, hashes },
    lines: comparisonLines(comparison),
    hasFailed: comparison.judgement.verdict !== 'agree',
  };
}
