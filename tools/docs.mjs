// Writes what is made of the packages themselves: docs/reference/, the JSON Schemas of the command
// line, the recipes in README.md and the map of packages in ARCHITECTURE.md; with --check, says
// what is out of date instead. Either way it fails where the surface of a package or a
// document has a fault.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { documents } from '@drover/cli';
import { dtypes as allTypes, ops } from '@drover/core';
import { loadFormats } from '@drover/formats';
import { toJsonSchema } from '@valibot/to-json-schema';
import { format as prettify, resolveConfig } from 'prettier';
import { apiReports } from './api-report.mjs';
import { mayImport } from './boundaries.mjs';
import { documentFaults } from './document-faults.mjs';

const root = resolve(import.meta.dirname, '..');
/** Folders that hold nothing but what is written here. */
const folders = ['docs/reference', 'docs/reference/api', 'packages/cli/schema'];
const generated = 'Written by `npm run docs` from the packages themselves.\n';
/** The formats that have operators: those of models. */
const listed = (await loadFormats()).filter(({ model }) => model);
const packages = readdirSync(join(root, 'packages')).filter((name) => name !== 'conformance');
const modules = new Map(
  await Promise.all(packages.map(async (name) => [name, await import(`@drover/${name}`)])),
);

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows]
    .map((row) => `| ${row.map(cell).join(' | ')} |`)
    .join('\n') + '\n';
const byName = ([a], [b]) => (a < b ? -1 : 1);
const arity = { one: '', optional: ', may be absent', many: ', any number' };

const operand = (name, { arity: count, dtypes }) =>
  `\`${name}\`: ${dtypes.length === allTypes.length ? 'any type' : dtypes.join(', ')}${arity[count]}`;
const list = (title, items) =>
  items.length ? `${title}:\n\n${items.map((item) => `- ${item}`).join('\n')}\n` : '';

const operator = ([name, op]) =>
  [
    `## ${name}\n`,
    `${op.summary}\n`,
    list(
      'Operands',
      Object.entries(op.inputs).map(([key, each]) => operand(key, each)),
    ),
    list(
      'Results',
      Object.entries(op.outputs).map(([key, each]) => operand(key, each)),
    ),
    list(
      'Attributes',
      Object.entries(op.attrs).map(([key, attr]) => `\`${key}\`: ${attr.says}`),
    ),
    list(
      'Regions',
      (op.regions ?? []).map((region) => `\`${region}\``),
    ),
    list(
      'Constraints',
      Object.entries(op.constraints).map(([id, { says }]) => `${id}: ${says}`),
    ),
    `Layout: ${op.layout.says}.\n`,
    op.decompose ? 'It decomposes into simpler operators where a target lacks it.\n' : '',
  ]
    .filter(Boolean)
    .join('\n');

const coverages = new Map(
  await Promise.all(
    listed.map(async ({ id }) => [id, (await import(`@drover/${id}/coverage`)).coverage]),
  ),
);

// A call is written as the nodes of its body.
const isComposite = (name) => ops[name].decompose !== undefined || name === 'Call';
const written = (name, rule) =>
  typeof rule === 'function'
    ? 'yes'
    : isComposite(name)
      ? 'in simpler operators'
      : `no: ${rule.gap}`;
const writes = table(
  ['Operator', ...listed.map(({ title }) => title)],
  Object.keys(ops)
    .sort()
    .map((name) => [
      name,
      ...listed.map(({ id }) => written(name, coverages.get(id).written.get(name))),
    ]),
);
const readBy = ({ id, title }) => {
  const coverage = coverages.get(id);
  const read = coverage.read.toSorted();
  const foreign = coverage.listed.filter((name) => !read.includes(name)).sort();
  return `## Read from ${title}\n\n${read.length} operators: ${read.join(', ')}.\n\n${foreign.length} of the ${coverage.listed.length} in the list of ${title} have no canonical form and stay in the graph as they are: ${foreign.join(', ')}.\n`;
};

const isCatalogue = (value) =>
  typeof value === 'object' && value !== null && 'prefix' in value && 'kinds' in value;
const catalogues = new Map(
  [...modules.values()]
    .flatMap((module) => Object.values(module).filter(isCatalogue))
    .map((each) => [each.prefix, each]),
);

const pages = {
  'docs/reference/coverage.md': `# Coverage\n\n${generated}\n## Written\n\n${writes}\n${listed.map(readBy).join('\n')}`,
  'docs/reference/operators.md': `# Operators of the canonical graph\n\n${generated}\n${Object.entries(ops).sort(byName).map(operator).join('\n')}`,
  'docs/reference/diagnostics.md': `# Diagnostics\n\n${generated}\n${[...catalogues.entries()]
    .sort(byName)
    .map(
      ([prefix, { kinds }]) =>
        `## ${prefix}\n\n${table(
          ['Code', 'Severity', 'What it means', 'What to do'],
          Object.entries(kinds)
            .sort(byName)
            .map(([name, kind]) => [
              `\`${prefix}/${name}\``,
              kind.severity,
              kind.summary,
              kind.help,
            ]),
        )}`,
    )
    .join('\n')}`,
};

for (const [name, schema] of Object.entries(documents)) {
  const path = `packages/cli/schema/${name}.json`;
  const json = { title: `What drover prints with --json: ${name}`, ...toJsonSchema(schema) };
  pages[path] = await prettify(JSON.stringify(json), {
    ...(await resolveConfig(join(root, path))),
    filepath: path,
  });
}

const packageRow = (name) => {
  const { description, nx } = JSON.parse(
    readFileSync(join(root, `packages/${name}/package.json`), 'utf8'),
  );
  const kind = nx.tags[0].replace('type:', '');
  const imports = mayImport[kind].join(', ') || 'nothing';
  return [kind, `[${name}](packages/${name})`, description, imports === '*' ? 'all' : imports];
};
const kinds = Object.keys(mayImport);
const packageRows = readdirSync(join(root, 'packages'))
  .map(packageRow)
  .sort(([a], [b]) => kinds.indexOf(a) - kinds.indexOf(b));
const packageTable = table(['kind', 'package', 'what it is', 'may import'], packageRows);
pages['ARCHITECTURE.md'] = await prettify(
  readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8').replace(
    /(<!-- packages -->)[^]*(<!-- \/packages -->)/,
    (_, head, end) => `${head}\n\n${packageTable}\n${end}`,
  ),
  { ...(await resolveConfig(join(root, 'ARCHITECTURE.md'))), filepath: 'ARCHITECTURE.md' },
);

// The recipes of the README are files that the tests run.
const recipe = (name) =>
  readFileSync(join(root, `packages/conformance/src/recipes/${name}.ts`), 'utf8');
pages['README.md'] = readFileSync(join(root, 'README.md'), 'utf8').replaceAll(
  /(<!-- recipe: ([a-z-]+) -->\n\n```ts\n)[^]*?```/g,
  (_, head, name) => `${head}${recipe(name)}\`\`\``,
);

const { pages: reports, faults: inSurface } = apiReports();
const faults = [...inSurface, ...(await documentFaults(root))];
for (const [name, report] of reports) pages[`docs/reference/api/${name}`] = report;

const present = folders.flatMap((folder) =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => `${folder}/${name}`)
    : [],
);
const stale = [
  ...Object.keys(pages).filter(
    (page) =>
      !existsSync(join(root, page)) || readFileSync(join(root, page), 'utf8') !== pages[page],
  ),
  ...present.filter((page) => !(page in pages)),
];
for (const fault of faults) console.error(fault);
if (faults.length) process.exitCode = 1;
if (process.argv.includes('--check')) {
  for (const page of stale) console.error(`${page} is out of date: run \`npm run docs\`.`);
  if (stale.length) process.exitCode = 1;
} else {
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  for (const page of stale)
    if (page in pages) writeFileSync(join(root, page), pages[page]);
    else rmSync(join(root, page));
  console.log(`${stale.length} pages written, ${Object.keys(pages).length} in all`);
}
