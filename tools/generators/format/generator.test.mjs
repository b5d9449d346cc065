import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { check, resolveConfig } from 'prettier';
import generators from '../../generators.json' with { type: 'json' };
import op from '../op/generator.mjs';
import { copyWorkspace, root } from '../workspace-copy.mjs';
import format from './generator.mjs';

const inner = 'packages/sample/';
const fixture = 'fixtures/models/sample-layer/';

/** A package of this repository and all those that it needs. */
function withNeeded(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  const path = join(root, `packages/${name}/package.json`);
  const { dependencies = {} } = JSON.parse(readFileSync(path, 'utf8'));
  for (const each of Object.keys(dependencies))
    if (each.startsWith('@drover/')) withNeeded(each.slice('@drover/'.length), found);
  return found;
}

/** The packages in which a format is known. */
const workspace = [...withNeeded('formats')];
let copy;
/** What the format generator wrote. */
let written;

/** A copy of the packages in which a format is known, with one more, and then an operator more. */
beforeAll(async () => {
  copy = copyWorkspace(workspace, {
    files: ['LICENSE', 'package-lock.json', 'tsconfig.json'],
    tests: [`${inner}src/format.test.ts`],
  });
  await format(copy.tree, { name: 'sample', title: 'Sample 2' });
  copy.link('sample');
  written = [...copy.tree.written];
  await op(copy.tree, { name: 'HardTANHLike2' });
}, 300_000);

afterAll(() => copy.remove());

test('the generator is where Nx looks for it', () => {
  const { factory, schema } = generators.generators.format;
  expect(resolve(root, 'tools', factory)).toBe(join(import.meta.dirname, 'generator.mjs'));
  expect(existsSync(resolve(root, 'tools', schema))).toBe(true);
});

test('outside its folder and its fixture, a format is its lines in the list of formats', () => {
  const outside = written.filter((path) => !path.startsWith(inner) && !path.startsWith(fixture));
  const changes = outside.map((path) => {
    const before = readFileSync(join(root, path), 'utf8').split('\n');
    const after = copy.tree.read(path).split('\n');
    const isNew = (line) =>
      !before.some((each) => each.replace(/,$/, '') === line.replace(/,$/, ''));
    expect(after.length).toBeGreaterThan(before.length);
    return [path, after.filter(isNew).map((line) => line.trim())];
  });
  expect(Object.fromEntries(changes)).toEqual({
    'packages/formats/src/formats.ts': [
      "import { about as sample } from '@drover/sample/about';",
      "{ about: sample, load: async () => (await import('@drover/sample')).sample },",
    ],
    'packages/formats/package.json': [expect.stringContaining('"@drover/sample": "0.1.0"')],
    'packages/formats/tsconfig.lib.json': ['{ "path": "../sample/tsconfig.lib.json" }'],
    'tsconfig.json': ['{ "path": "./packages/sample/tsconfig.lib.json" }'],
    'package-lock.json': [
      '"node_modules/@drover/sample": {',
      '"resolved": "packages/sample",',
      expect.stringContaining('"@drover/sample": "0.1.0"'),
      '"packages/sample": {',
      '"name": "@drover/sample",',
    ],
  });
});

test('what is written is formatted, and no name of the templates is left', async () => {
  expect(written.length).toBeGreaterThan(30);
  for (const path of written) {
    expect([path, /__(name|title|notYet)__/.test(copy.tree.read(path))]).toEqual([path, false]);
    if (path.startsWith(fixture) || /LICENSE|package-lock/.test(path)) continue;
    const options = { ...(await resolveConfig(join(root, path))), filepath: path };
    expect([path, await check(copy.tree.read(path), options)]).toEqual([path, true]);
  }
});

test('it compiles, and does not where an operator has neither a rule nor a gap, or both', () => {
  const { tree, compile } = copy;
  expect(compile()).toEqual({ status: 0, output: '' });
  const path = `${inner}src/rules.ts`;
  const rules = tree.read(path);
  expect(rules).toMatch(/^ {2}HardTANHLike2: notYet,$/m);
  tree.write(path, rules.replace('  Abs: notYet,\n', ''));
  const without = compile();
  tree.write(path, rules.replace('  Abs: notYet,\n', '  Abs: notYet,\n  Add: notYet,\n'));
  const twice = compile();
  tree.write(path, rules);
  expect(without.output).toMatch(/packages\/sample\/src\/rules\.ts.*'Abs' is missing/s);
  expect(twice.output).toMatch(
    /packages\/sample\/src\/rules\.ts.*'Add' is specified more than once/s,
  );
}, 300_000);

test('its own tests pass', () => {
  const { status, output } = copy.run(
    'jest/bin/jest.js',
    ...['--config', `${inner}jest.config.mjs`, '--ci', '--verbose'],
  );
  expect(output).toMatch(/✓ writes a model that reads back and computes the same/);
  expect(status).toBe(0);
}, 300_000);

test.each([
  ['onnx', 'is there already'],
  ['Toy', 'is no name of a format'],
  ['safe-tensors', 'is no name of a format'],
  ['delete', 'cannot be the name'],
  ['about', 'cannot be the name'],
  ['tensor', 'cannot be the name'],
])('%s is refused', async (name, reason) => {
  const write = (path) => {
    throw new Error(`${path} is written`);
  };
  await expect(format({ ...copy.tree, write }, { name })).rejects.toThrow(reason);
});
