import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { check, resolveConfig } from 'prettier';
import generators from '../../generators.json' with { type: 'json' };
import { copyWorkspace, root } from '../workspace-copy.mjs';
import op, { namesOf } from './generator.mjs';

let copy;

/** A copy of the packages in which an operator is known, with one more. */
beforeAll(async () => {
  copy = copyWorkspace(['core', 'graphdef', 'mxnet', 'onnx', 'protobuf']);
  await op(copy.tree, { name: 'HardTANHLike2' });
}, 300_000);

afterAll(() => copy.remove());

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
  expect([...copy.tree.written].sort()).toEqual([
    'packages/core/src/ops/hard-tanh-like2.ts',
    'packages/core/src/ops/ops.ts',
    'packages/graphdef/src/rules.ts',
    'packages/mxnet/src/rules.ts',
    'packages/onnx/src/rules.ts',
  ]);
  const table = copy.tree.read('packages/core/src/ops/ops.ts');
  const imported = "import { hardTANHLike2 } from './hard-tanh-like2.js';\n";
  expect(table).toContain(`hard-swish.js';\n${imported}`);
  expect(table).toContain('  HardSwish: hardSwish,\n  HardTANHLike2: hardTANHLike2,\n');
  for (const path of copy.tree.written) {
    const options = { ...(await resolveConfig(join(root, path))), filepath: path };
    expect([path, await check(copy.tree.read(path), options)]).toEqual([path, true]);
  }
});

test('it compiles, and does not where a format says nothing of it', () => {
  const { tree, compile } = copy;
  expect(compile()).toEqual({ status: 0, output: '' });
  const path = 'packages/onnx/src/rules.ts';
  const rules = tree.read(path);
  tree.write(path, rules.replace(/^ {2}HardTANHLike2: .*\n/m, ''));
  const { status, output } = compile();
  tree.write(path, rules);
  expect(status).not.toBe(0);
  expect(output).toMatch(/packages\/onnx\/src\/rules\.ts.*'HardTANHLike2' is missing/s);
}, 300_000);

test('its example passes', () => {
  const { status, output } = copy.run(
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
  await expect(op({ ...copy.tree, write }, { name })).rejects.toThrow(reason);
});
