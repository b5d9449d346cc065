import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { format as prettify, resolveConfig } from 'prettier';

const templates = join(import.meta.dirname, 'files');
const list = 'packages/formats/src/formats.ts';
const operators = 'packages/core/src/ops/ops.ts';
const version = '0.1.0';

/** The files of a folder of templates, as paths. */
const filesIn = (folder) =>
  readdirSync(join(templates, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(templates, folder, path)).isFile())
    .sort();

const fill = (text, { name, title }) =>
  text.replaceAll('__name__', name).replaceAll('__title__', title);

/** The operators of core, by the lines of their table. */
const operatorsOf = (tree) =>
  [...tree.read(operators, 'utf-8').matchAll(/^ {2}(\w+): \w+,$/gm)].map(([, each]) => each);

/** The operators that the templates write: what each family of rules has in `fromCore`. */
const writtenOps = () =>
  filesIn('package/src/ops').flatMap((path) => {
    const text = readFileSync(join(templates, 'package/src/ops', path), 'utf8');
    const [, rules] = /const fromCore = \{\n([\s\S]*?)\n\}/.exec(text);
    return [...rules.matchAll(/^ {2}(\w+):/gm)].map(([, each]) => each);
  });

/** An object with one more key, in the order of its keys. */
function withKey(object, key, value) {
  const entries = Object.entries(object);
  const at = entries.findIndex(([each]) => each > key);
  entries.splice(at < 0 ? entries.length : at, 0, [key, value]);
  return Object.fromEntries(entries);
}

/** Whether a constant can have this name beside what these files import and declare. */
function isFree(name, texts) {
  try {
    new Function(`'use strict'; const ${name} = 0;`);
  } catch {
    return false;
  }
  const named = /\bimport (?:type )?\{([^}]*)\}|\b(?:const|function) (\w+)/g;
  return !texts
    .flatMap((text) => [...text.matchAll(named)])
    .some(([, imported, declared]) => (imported ?? declared).match(/\w+/g).includes(name));
}

function check(tree, name) {
  if (!/^[a-z][a-z0-9]*$/.test(name))
    throw new Error(`${name} is no name of a format, such as safetensors.`);
  if (tree.exists(`packages/${name}`)) throw new Error(`packages/${name} is there already.`);
  const declaring = ['format.ts', 'format.test.ts'].map((path) =>
    readFileSync(join(templates, 'package/src', path), 'utf8'),
  );
  if (!isFree(name, [...declaring, tree.read(list, 'utf-8')]))
    throw new Error(`${name} cannot be the name of a constant in src/format.ts and ${list}.`);
}

/** The list of formats with one more at its end. */
function withFormat(text, name) {
  const imports = [...text.matchAll(/^import .*\n/gm)];
  const added = `import { about as ${name} } from '@drover/${name}/about';\n`;
  const from = (line) => /'(.*)'/.exec(line)[1];
  const next = imports.find(([line]) => from(line) > from(added));
  const at = next ? next.index : imports.at(-1).index + imports.at(-1)[0].length;
  const entry = `  { about: ${name}, load: async () => (await import('@drover/${name}')).${name} },\n`;
  return (text.slice(0, at) + added + text.slice(at)).replace(
    /(formats: readonly ListedFormat\[\] = \[\n[\s\S]*?)(\];)/,
    (_, before, end) => before + entry + end,
  );
}

/** The lock file with one more package of the workspace, on which the list of formats depends. */
function withPackage(lock, name) {
  const id = `@drover/${name}`;
  const { [`packages/formats`]: formats } = lock.packages;
  const entry = {
    name: id,
    version,
    license: 'Apache-2.0',
    dependencies: { '@drover/core': version },
    engines: { node: '>=20.19.0' },
  };
  formats.dependencies = withKey(formats.dependencies, id, version);
  const linked = insertAmong(lock.packages, `node_modules/${id}`, {
    resolved: `packages/${name}`,
    link: true,
  });
  return { ...lock, packages: insertAmong(linked, `packages/${name}`, entry) };
}

/** An object with one more key, before the first of those in its folder that it sorts before. */
function insertAmong(object, key, value) {
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  const entries = Object.entries(object);
  const isOf = ([each]) => each.startsWith(folder) && !each.slice(folder.length).includes('/');
  const next = entries.findIndex((each) => isOf(each) && each[0] > key);
  const at = next < 0 ? entries.findLastIndex(isOf) + 1 : next;
  entries.splice(at, 0, [key, value]);
  return Object.fromEntries(entries);
}

/**
 * Writes a format: a package that reads and writes a few operators of a small format of its own and
 * states a gap for every other one, its line in the list of formats, and a model of it for the
 * tests. All of it works, to be changed into what it is to be.
 */
export default async function format(tree, options) {
  const { name } = options;
  check(tree, name);
  const { title = name[0].toUpperCase() + name.slice(1) } = options;
  const pretty = async (path, text) =>
    tree.write(path, await prettify(text, { ...(await resolveConfig(path)), filepath: path }));
  const json = (path) => JSON.parse(tree.read(path, 'utf-8'));

  const root = `packages/${name}`;
  const written = writtenOps();
  const gaps = operatorsOf(tree)
    .filter((each) => !written.includes(each))
    .map((each) => `  ${each}: notYet,\n`)
    .join('');
  for (const file of filesIn('package')) {
    const text = fill(readFileSync(join(templates, 'package', file), 'utf8'), { name, title });
    await pretty(
      `${root}/${file.replace(/\.template$/, '')}`,
      text.replace('  __notYet__: notYet,\n', gaps),
    );
  }
  tree.write(`${root}/LICENSE`, tree.read('LICENSE', 'utf-8'));

  const fixture = `fixtures/models/${name}-layer`;
  const template = (file) => readFileSync(join(templates, 'fixture', file));
  const files = {
    'golden.npz': template('golden.npz'),
    [`model.${name}`]: Buffer.from(fill(template('model.json').toString(), { name, title })),
    [`model.${name}.weights`]: template('model.weights'),
  };
  const about = JSON.parse(fill(template('fixture.json').toString(), { name, title }));
  about.sha256 = {};
  for (const [file, bytes] of Object.entries(files)) {
    tree.write(`${fixture}/${file}`, bytes);
    about.sha256[file] = createHash('sha256').update(bytes).digest('hex');
  }
  tree.write(`${fixture}/fixture.json`, `${JSON.stringify(about, undefined, 2)}\n`);

  await pretty(list, withFormat(tree.read(list, 'utf-8'), name));
  const manifest = json('packages/formats/package.json');
  manifest.dependencies = withKey(manifest.dependencies, `@drover/${name}`, version);
  tree.write('packages/formats/package.json', `${JSON.stringify(manifest, undefined, 2)}\n`);
  for (const [path, reference] of [
    ['packages/formats/tsconfig.lib.json', `../${name}/tsconfig.lib.json`],
    ['tsconfig.json', `./${root}/tsconfig.lib.json`],
  ]) {
    const line = `,\n    { "path": "${reference}" }`;
    tree.write(path, tree.read(path, 'utf-8').replace(/(?=\n {2}\]\n\}\n$)/, line));
  }
  const lock = withPackage(json('package-lock.json'), name);
  tree.write('package-lock.json', `${JSON.stringify(lock, undefined, 2)}\n`);

  return () =>
    console.log(`
${title} reads and writes a small format of its own. Next (CONTRIBUTING.md, "A format"):
- npm install links ${root}
- npx jest ${root} packages/conformance
- what its files are, in ${root}/src/codec; what its operators mean, in ${root}/src/ops
- models of the real framework in place of ${fixture}`);
}
