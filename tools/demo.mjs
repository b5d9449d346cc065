// Converts real models between the formats, runs each result in its own runtime and prints how far
// it is from what the framework itself computed.
import { runDemo } from './demo-run.mjs';

const columns = [
  ['model', 20, (row) => row.title],
  ['from', 6, (row) => row.from],
  ['to', 6, (row) => row.to],
  ['runs in', 12, (row) => row.runtime],
  [
    'convert',
    8,
    (row) => (row.milliseconds === undefined ? '' : `${row.milliseconds.toFixed(0)} ms`),
  ],
  ['error', 8, (row) => (row.error === undefined ? '' : row.error.toExponential(1))],
  ['verdict', 0, (row) => row.verdict],
];
const line = (cells) =>
  cells
    .map((cell, i) => cell.padEnd(columns[i][1]))
    .join(' ')
    .trimEnd();

console.log(line(columns.map(([head]) => head)));
const rows = await runDemo((row) => console.log(line(columns.map(([, , cell]) => cell(row)))));
const count = (verdict) => rows.filter((row) => row.verdict === verdict).length;
const wrong = rows.length - count('agree') - count('refused');
console.log('');
for (const { title, to, reason } of rows)
  if (reason !== undefined) console.log(`${title} to ${to}: ${reason}`);
console.log(
  `${rows.length} conversions: ${count('agree')} compute the same, ${count('refused')} refused with the reason, ${wrong} wrong.`,
);
console.log(
  'error: the largest difference from what the framework computed, as a share of the largest value',
);
// A refusal is an answer; a wrong number is not.
process.exitCode = wrong === 0 && count('agree') > 0 ? 0 : 1;
