import { format, resolveConfig } from 'prettier';

const table = 'packages/core/src/ops/ops.ts';

/** Words of an operator's name: `RMSNormalization` is RMS, Normalization; `GatherND` Gather, ND. */
const wordsOf = (name) => name.match(/[A-Z]+(?![a-z])\d*|[A-Z][a-z0-9]*/g);

/** Names that follow from that of an operator: of its file and of its constant. */
export function namesOf(name) {
  const [first, ...rest] = wordsOf(name);
  return {
    file: [first, ...rest].join('-').toLowerCase(),
    constant: [first.toLowerCase(), ...rest].join(''),
  };
}

const operator = (name, constant) => `import { mapFloat } from '../numeric/map.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** The elements as they are. */
export const ${constant} = defineOp({
  name: '${name}',
  summary: 'The elements of \`x\` as they are.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: {},
  constraints: {},
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x }) => ({
    y: mapFloat(x, (y, x) => {
      for (let i = 0; i < y.length; i++) y[i] = x[i]!;
    }),
  }),
  layout: elementwise,
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float64', [2, 3], [-2, -0.5, 0, 1, 2.5, 4]) },
      attrs: {},
      outputs: { y: tensor('float64', [2, 3], [-2, -0.5, 0, 1, 2.5, 4]) },
    },
  ],
});
`;

/** The text with a line put in before the first of some lines that it sorts before. */
function insertSorted(text, line, pattern, keyOf) {
  const key = keyOf(line);
  const lines = [...text.matchAll(pattern)];
  const next = lines.find(([each]) => keyOf(each) > key);
  const last = lines.at(-1);
  const at = next ? next.index : last.index + last[0].length;
  return text.slice(0, at) + line + text.slice(at);
}

/** The table of operators with one more: the imports in the order of files, the table of names. */
function withEntry(text, name, { file, constant }) {
  const withImport = insertSorted(
    text,
    `import { ${constant} } from './${file}.js';\n`,
    /^import .*\n/gm,
    (line) => /'(.*)'/.exec(line)[1],
  );
  return insertSorted(withImport, `  ${name}: ${constant},\n`, /^ {2}\w+: \w+,\n/gm, (line) =>
    /\w+/.exec(line)[0].toLowerCase(),
  );
}

/**
 * The rules of a format with a gap for one more operator, and `notYet` imported. It stands before
 * the families, so that a rule in one of them does not compile while the gap is there.
 */
function withGap(text, name) {
  const imports = /^import (type )?\{([^}]*)\} from '@drover\/core\/format';/m;
  const [, areTypes, list] = imports.exec(text) ?? [];
  if (list === undefined)
    throw new Error('The rules of a format import nothing of @drover/core/format.');
  const imported = list.split(',').flatMap((each) => each.trim() || []);
  const all = areTypes ? imported.map((each) => `type ${each}`) : imported;
  const specifiers = [...(all.includes('notYet') ? [] : ['notYet']), ...all];
  return text
    .replace(imports, `import { ${specifiers.join(', ')} } from '@drover/core/format';`)
    .replace(/= writeTable<\w+>\(\{\n/, (table) => `${table}  ${name}: notYet,\n`);
}

/** Packages whose rules say how each operator is written. */
const formatsOf = (tree) =>
  tree
    .children('packages')
    .map((name) => `packages/${name}/src/rules.ts`)
    .filter((path) => /= writeTable</.test(tree.read(path, 'utf-8') ?? ''));

/** Whether a constant can have this name beside what its file imports. */
function isFree(constant, text) {
  const imported = text.match(/(?<=^import \{).*(?=\})/gm).join();
  try {
    new Function(`'use strict'; const ${constant} = 0;`);
  } catch {
    return false;
  }
  return !new RegExp(`\\b${constant}\\b`).test(imported);
}

/**
 * Writes the skeleton of an operator: its file, its line in the table, and in each format the
 * stated gap. It compiles and its example passes: an operator that gives its operand, to be changed
 * into what it is to be.
 */
export default async function op(tree, { name }) {
  if (!/^[A-Z][A-Za-z0-9]*$/.test(name))
    throw new Error(`${name} is no name of an operator, such as HardSwish or GatherND.`);
  const names = namesOf(name);
  const file = `packages/core/src/ops/${names.file}.ts`;
  const skeleton = operator(name, names.constant);
  const before = tree.read(table, 'utf-8');
  if (tree.exists(file)) throw new Error(`${file} is there already.`);
  if (!isFree(names.constant, skeleton) || !isFree(names.constant, before))
    throw new Error(`${name} cannot be called ${names.constant} in ${file} and ${table}.`);
  const write = async (path, text) =>
    tree.write(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
  const formats = formatsOf(tree);
  await write(file, skeleton);
  await write(table, withEntry(before, name, names));
  for (const path of formats) await write(path, withGap(tree.read(path, 'utf-8'), name));
  return () =>
    console.log(`
${name} gives its operand. Next (CONTRIBUTING.md, "An operator"):
- what it is, in ${file}
- how it is written, in place of the gap in ${formats.join(', ')}
- npx jest packages/core/src/ops/op-table packages/core/src/ops/layout`);
}
