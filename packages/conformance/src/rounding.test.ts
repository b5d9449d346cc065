import { readFileSync, writeFileSync } from 'node:fs';
import { measureRounding, roundingTable, type MeasuredRounding } from './rounding.js';
import { vectorFrameworks } from './vector-frameworks.js';

const page = new URL('../../../docs/rounding.md', import.meta.url);

/** The page of the table, as it stands in the documents. */
function written(table: ReturnType<typeof roundingTable>): string {
  const rows = table.map(
    ({ op, count, median, worst }) =>
      `| ${op} | ${count} | ${median.toFixed(2)} | ${worst.ratio.toFixed(2)} | ${worst.by} |`,
  );
  return [
    '# Rounding',
    '',
    'What correct implementations lose, measured on the vectors in fixtures/ops: onnxruntime and TensorFlow.js run here, and what TensorFlow, PyTorch’s exporter and MXNet',
    'gave when the vectors were recorded. A ratio is the error against the float64 reference over what the operator may be off, five deviations; the operator is the',
    'one that most of the error comes from. Written by a test (`DROVER_UPDATE=1 npx jest rounding`), which holds that no ratio is above 1.',
    '',
    '| operator | results | median | worst | by |',
    '| -------- | ------: | -----: | ----: | -- |',
    ...rows,
    '',
  ].join('\n');
}

const all: MeasuredRounding[] = [];

it.each(vectorFrameworks.map(({ name }) => [name]))(
  'no implementation of an operator is further off than it may be, and each agrees: vectors of %s',
  async (framework) => {
    const measured = await measureRounding(framework);
    expect(measured.length).toBeGreaterThan(300);
    const names = measured
      .filter(({ ratio }) => !(ratio <= 1))
      .map(({ vector, by }) => `${vector} by ${by}`);
    expect(names).toEqual([]);
    const doubted = measured.filter(({ judgement }) => judgement && !judgement.agree);
    expect(doubted.map(({ vector, by }) => `${vector} by ${by}`)).toEqual([]);
    all.push(...measured);
  },
  300_000,
);

it('allowances are no larger than they need be, and the page says so', () => {
  const table = roundingTable(all);
  if (process.env['DROVER_UPDATE']) writeFileSync(page, written(table));
  const stated = new Map(
    [
      ...readFileSync(page, 'utf8').matchAll(/^\| (\w+) +\| +\d+ \| +([\d.]+) \| +([\d.]+) \|/gm),
    ].map(([, op, median, worst]) => [op!, { median: Number(median), worst: Number(worst) }]),
  );
  expect([...stated.keys()].sort()).toEqual(table.map(({ op }) => op).sort());
  // Another processor sums in another order.
  for (const { op, median, worst } of table) {
    expect([op, Math.abs(median - stated.get(op)!.median) < 0.1]).toEqual([op, true]);
    expect([op, Math.abs(worst.ratio - stated.get(op)!.worst) < 0.3]).toEqual([op, true]);
  }
  const medians = table.map(({ median }) => median).sort((a, b) => a - b);
  expect(medians[Math.floor(medians.length / 2)]).toBeGreaterThan(0.05);
});
