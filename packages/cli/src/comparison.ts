import type { Comparison, OutputJudgement } from '@drover/parity';

const number = (value: number | undefined | null) =>
  value === null || value === undefined ? '–' : value.toExponential(1);

/** How many operators a line names. */
const mostShares = 3;

/** Lines for people: a line or two for each output, and the verdict. */
export function comparisonLines(comparison: Comparison): string[] {
  const { judgement, runtimes, verdict, runs, coverage } = comparison;
  const { all, dead } = coverage.units;
  const times = runs === 1 ? '' : `, ${runs} runs`;
  return [
    ...judgement.outputs.flatMap((output) => outputLines(output)),
    ...(dead > 0
      ? [`covered    all but ${dead} of ${all} channels, which activations kept at zero`]
      : []),
    `verdict: ${verdict} (${runtimes.join(', ')}${times})`,
  ];
}

function outputLines(output: OutputJudgement): string[] {
  const { name, verdict, metrics, error, sourceError, tolerance, shares, reason } = output;
  const head = output.asQuantised ? 'agrees as quantised' : verdict.padEnd(10);
  if (!metrics || !tolerance) return [`${head} ${name}: ${reason ?? ''}`];
  const own = sourceError
    ? `, source’s own error ${number(sourceError.max)}, target’s ${number(error?.max)}`
    : error
      ? `, target’s error ${number(error.max)}`
      : '';
  const why = reason === null ? '' : `; ${reason}`;
  const from = [...shares]
    .slice(0, mostShares)
    .map(([op, share]) => `${op} ${Math.round(share * 100)} %`);
  const operators = from.length > 0 ? ` (rounding: ${from.join(', ')})` : '';
  return [
    `${head} ${name}: difference ${number(metrics.maxAbs)}${own}, tolerance ${number(tolerance.max)}${operators}${why}`,
  ];
}

/** The fields of a comparison in a command's document. */
export function comparisonDocument(comparison: Comparison) {
  const { judgement, verdict, inputs, seed, runs, runtimes, coverage, pairs } = comparison;
  const paired = new Map(pairs.map(({ first, second, by }) => [first, { name: second, by }]));
  const outputs = judgement.outputs.map((output) => ({
    name: output.name,
    verdict: output.verdict,
    agree: output.agree,
    asQuantised: output.asQuantised,
    reason: output.reason,
    maxAbs: output.metrics?.maxAbs ?? null,
    maxRel: output.metrics?.maxRel ?? null,
    maxUlp: output.metrics?.maxUlp ?? null,
    error: output.error?.max ?? null,
    sourceError: output.sourceError?.max ?? null,
    expectedError: output.expectedError?.max ?? null,
    tolerance: output.tolerance?.max ?? null,
    bound: output.bound?.max ?? null,
    operators: Object.fromEntries(output.shares),
    pairedWith: paired.get(output.name) ?? null,
  }));
  return {
    verdict,
    outputs,
    coverage: {
      tables: [...coverage.tables],
      bodies: [...coverage.bodies],
      units: coverage.units,
      idle: [...coverage.idle],
    },
    firstDivergence: null,
    inputs,
    seed,
    runs,
    runtimes,
  };
}
