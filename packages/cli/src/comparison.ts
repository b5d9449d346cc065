import type { Comparison } from '@drover/parity';

const number = (value: number | null) => (value === null ? '–' : value.toExponential(1));

/** Lines for people: the verdict, and a line for each output. */
export function comparisonLines({ judgement, runtimes }: Comparison): string[] {
  return [
    ...judgement.outputs.map(({ name, verdict, maxAbs, tolerance, reason }) => {
      const why = reason === null ? '' : `; ${reason}`;
      return `${verdict.padEnd(9)} ${name}: largest difference ${number(maxAbs)}, tolerance ${number(tolerance)}${why}`;
    }),
    `verdict: ${judgement.verdict} (${runtimes.join(', ')})`,
  ];
}

/** The fields of a comparison in a command's document. */
export function comparisonDocument({ judgement, inputs, seed, runtimes }: Comparison) {
  const outputs = judgement.outputs.map(
    ({ name, maxAbs, maxRel, maxUlp, tolerance, agree, reason }) => ({
      name,
      maxAbs,
      maxRel,
      maxUlp,
      tolerance,
      agree,
      reason,
    }),
  );
  return { verdict: judgement.verdict, outputs, firstDivergence: null, inputs, seed, runtimes };
}
