import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { check, resolveConfig } from 'prettier';
import generators from '../../generators.json' with { type: 'json' };
import op, { namesOf } from './generator.mjs';

const root = resolve(import.meta.dirname, '../../..');
/** The packages in which an operator is known. */
const packages = ['core', 'graphdef', 'mxnet', 'onnx', 'protobuf'];
let folder;

/** The part of Nx's tree that generators use, on the copy. */
const tree = {
  written: [],
  exists: (path) => existsSync(join(folder, path)),
  read: (path) => (tree.exists(path) ? readFileSync(join(folder, path), 'utf8') : null),
  children: (path) => readdirSync(join(folder, path)),
  write: (path, text) => {
    tree.written.push(path);
    writeFileSync(join(folder, path), text);
  },
};

/** Runs a program of the repository in the copy. */
function run(path, ...args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--experimental-vm-modules', join(root, 'node_modules', path), ...args],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  );
  return { status, output: stdout + stderr };
}

const compile = () => run('typescript-native/bin/tsc', '-p', 'tsconfig.json');

/** A copy of the sources with one operator more, and everything that it needs. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drover-op-'));
  for (const name of packages)
    cpSync(join(root, 'packages', name), join(folder, 'packages', name), {
      recursive: true,
      filter: (path) => !['dist', 'testdata'].includes(basename(path)),
    });
  for (const name of ['tsconfig.base.json', 'jest.preset.mjs', 'jest.environment.mjs'])
    cpSync(join(root, name), join(folder, name));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: './tsconfig.base.json',
      compilerOptions: {
        ...{ composite: false, noEmit: true, lib: ['es2023', 'dom'] },
        ...{ incremental: true, tsBuildInfoFile: 'tsconfig.tsbuildinfo' },
      },
      include: ['packages/*/src'],
      exclude: ['**/*.test.ts', '**/*.live.ts'],
    }),
  );
  const link = (name, target) => symlinkSync(target, join(folder, 'node_modules', name));
  mkdirSync(join(folder, 'node_modules/@drover'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '@drover' && !name.startsWith('.')) link(name, join(root, 'node_modules', name));
  for (const name of packages) link(`@drover/${name}`, join(folder, 'packages', name));
  await op(tree, { name: 'HardTANHLike2' });
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the names of the operators that there are follow from theirs', () => {
  const text = readFileSync(join(root, 'packages/core/src/ops/ops.ts'), 'utf8');
  const files = new Map(
    [...text.matchAll(/^import \{ (\w+) \} from '\.\/(.*)\.js';$/gm)].map((match) =>
      match.slice(1),
    ),
  );
  const others = [...text.matchAll(/^ {2}(\w+): (\w+),$/gm)].flatMap(([, name, constant]) => {
    const names = namesOf(name);
    return names.constant === constant && names.file === files.get(constant) ? [] : [name];
  });
  expect(files.size).toBeGreaterThan(100);
  expect(others).toEqual(['If', 'IsNaN']);
});

test('the generator is where Nx looks for it', () => {
  const { factory, schema } = generators.generators.op;
  expect(resolve(root, 'tools', factory)).toBe(join(import.meta.dirname, 'generator.mjs'));
  expect(existsSync(resolve(root, 'tools', schema))).toBe(true);
});

test('the operator has its file, its line in the order of the table, and a gap in each format', async () => {
  expect(tree.written.toSorted()).toEqual([
    'packages/core/src/ops/hard-tanh-like2.ts',
    'packages/core/src/ops/ops.ts',
    'packages/graphdef/src/rules.ts',
    'packages/mxnet/src/rules.ts',
    'packages/onnx/src/rules.ts',
  ]);
  const table = tree.read('packages/core/src/ops/ops.ts');
  const imported = "import { hardTANHLike2 } from './hard-tanh-like2.js';\n";
  expect(table).toContain(`hard-swish.js';\n${imported}`);
  expect(table).toContain('  HardSwish: hardSwish,\n  HardTANHLike2: hardTANHLike2,\n');
  for (const path of tree.written) {
    const options = { ...(await resolveConfig(join(root, path))), filepath: path };
    expect([path, await check(tree.read(path), options)]).toEqual([path, true]);
  }
});

test('it compiles, and does not where a format says nothing of it', () => {
  expect(compile()).toEqual({ status: 0, output: '' });
  const path = 'packages/onnx/src/rules.ts';
  const rules = tree.read(path);
  writeFileSync(join(folder, path), rules.replace(/^ {2}HardTANHLike2: .*\n/m, ''));
  const { status, output } = compile();
  writeFileSync(join(folder, path), rules);
  expect(status).not.toBe(0);
  expect(output).toMatch(/packages\/onnx\/src\/rules\.ts.*'HardTANHLike2' is missing/s);
}, 300_000);

test('its example passes', () => {
  const { status, output } = run(
    'jest/bin/jest.js',
    ...['--config', 'packages/core/jest.config.mjs', '--ci', '--verbose'],
    ...['ops/op-table', '-t', '^HardTANHLike2 '],
  );
  expect(output).toMatch(/✓ evaluates to the stated results/);
  expect(status).toBe(0);
}, 300_000);

test.each([
  ['Relu', 'is there already'],
  ['hardSwish', 'is no name of an operator'],
  ['Delete', 'cannot be called delete'],
  ['Tensor', 'cannot be called tensor'],
  ['IfElse', 'cannot be called ifElse'],
])('%s is refused', async (name, reason) => {
  const write = (path) => {
    throw new Error(`${path} is written`);
  };
  await expect(op({ ...tree, write }, { name })).rejects.toThrow(reason);
});
