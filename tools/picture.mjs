// Writes docs/conversions.svg from a run of the demo: which format goes where, how many models
// agree, and how far off the worst is.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runDemo } from './demo-run.mjs';

const rows = await runDemo();
const titles = { onnx: 'ONNX', tfjs: 'TensorFlow.js', mxnet: 'MXNet' };
const [width, height] = [940, 420];
const places = { onnx: [95, 90], tfjs: [375, 90], mxnet: [235, 330] };
const box = { width: 150, height: 46 };

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const text = (x, y, content, more = '') =>
  `<text x="${x}" y="${y}" ${more}>${escape(content)}</text>`;

/**
 * A line from one box to the other, beside the one that comes back, ending where the box begins.
 */
function arrow(from, to) {
  const [a, b] = [places[from], places[to]];
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  const [dx, dy] = [(b[0] - a[0]) / length, (b[1] - a[1]) / length];
  const gap = Math.abs(dx) > 0.9 ? box.width / 2 + 8 : box.height / 2 + 16;
  const [nx, ny] = [-dy * 8, dx * 8];
  const at = ([x, y], along) =>
    [x + dx * along + nx, y + dy * along + ny].map((value) => value.toFixed(1));
  const [start, end] = [at(a, gap), at(b, -gap)];
  return `<line x1="${start[0]}" y1="${start[1]}" x2="${end[0]}" y2="${end[1]}" marker-end="url(#head)"/>`;
}

const pairs = Object.keys(titles).flatMap((from) =>
  Object.keys(titles)
    .filter((to) => to !== from)
    .map((to) => [from, to]),
);
const boxes = Object.entries(places).map(
  ([id, [x, y]]) =>
    `<rect x="${x - box.width / 2}" y="${y - box.height / 2}" width="${box.width}" height="${box.height}" rx="8"/>${text(x, y + 6, titles[id], 'text-anchor="middle" class="name"')}`,
);

// Each conversion is a dot at its error on a scale of powers of ten.
const scale = { left: 690, right: 900, from: -8, to: -4 };
const xOf = (error) =>
  scale.left +
  ((Math.log10(error) - scale.from) / (scale.to - scale.from)) * (scale.right - scale.left);
const ticks = [-8, -7, -6, -5, -4].map((power) => {
  const x = xOf(10 ** power);
  return `<line x1="${x}" y1="58" x2="${x}" y2="360" class="grid"/>${text(x, 380, `1e${power}`, 'text-anchor="middle" class="small"')}`;
});
const lanes = pairs.map(([from, to], i) => {
  const y = 84 + i * 50;
  const own = rows.filter((row) => row.from === from && row.to === to);
  const agreeing = own.filter(({ verdict }) => verdict === 'agree');
  const refused = own.filter(({ verdict }) => verdict === 'refused').length;
  const label = `${agreeing.length} agree${refused === 0 ? '' : `, ${refused} refused`}`;
  const dots = own
    .filter(({ error }) => error !== undefined)
    .map(
      ({ error, verdict }) =>
        `<circle cx="${xOf(error).toFixed(1)}" cy="${y - 4}" r="5" class="${verdict}"/>`,
    );
  return `${text(665, y - 8, `${titles[from]} → ${titles[to]}`, 'text-anchor="end"')}${text(665, y + 8, label, 'text-anchor="end" class="small"')}${dots.join('')}`;
});

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Conversions between ONNX, TensorFlow.js and MXNet, with measured errors">
<style>
text { font: 14px system-ui, sans-serif; fill: #1f2937 }
.name { font-size: 17px; font-weight: 600 }
.small { font-size: 12px; fill: #6b7280 }
rect { fill: #eef2ff; stroke: #4f46e5; stroke-width: 1.5 }
line { stroke: #4f46e5; stroke-width: 1.5 }
.grid { stroke: #e5e7eb; stroke-width: 1 }
circle { fill: #16a34a; fill-opacity: .75 } .differ, .undecided { fill: #dc2626 }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4"
  markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#4f46e5"/></marker></defs>
<rect x="0" y="0" width="${width}" height="${height}" style="fill:#ffffff;stroke:none"/>
${pairs.map(([from, to]) => arrow(from, to)).join('\n')}
${boxes.join('\n')}
${text(235, 165, 'one graph', 'text-anchor="middle" class="small"')}
${text(235, 182, 'in between', 'text-anchor="middle" class="small"')}
${text((scale.left + scale.right) / 2, 36, 'error of each converted model', 'text-anchor="middle"')}
${ticks.join('\n')}
${lanes.join('\n')}
${text((scale.left + scale.right) / 2, 402, 'share of the largest value', 'text-anchor="middle" class="small"')}
</svg>
`;
writeFileSync(join(resolve(import.meta.dirname, '..'), 'docs', 'conversions.svg'), svg);
console.log(`docs/conversions.svg: ${rows.length} conversions`);
