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
import { basename, dirname, join, resolve } from 'node:path';

/** The folder of the repository. */
export const root = resolve(import.meta.dirname, '../..');

/**
 * A copy of the sources of some packages, with everything that they need, for tests of generators:
 * `tree` is the part of Nx's that generators use, and notes what is written; `run` starts a program
 * of the repository in the copy; `compile` checks the types of all sources and of `tests`.
 */
export function copyWorkspace(packages, { files = [], tests = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'drover-generator-'));
  const at = (path) => join(folder, path);
  const link = (name) => symlinkSync(at(`packages/${name}`), at(`node_modules/@drover/${name}`));
  for (const name of packages)
    cpSync(join(root, 'packages', name), at(`packages/${name}`), {
      recursive: true,
      filter: (path) => !['dist', 'testdata'].includes(basename(path)),
    });
  for (const path of ['tsconfig.base.json', 'jest.preset.mjs', 'jest.environment.mjs', ...files])
    cpSync(join(root, path), at(path));
  writeFileSync(at('package.json'), '{ "type": "module" }');
  const checked = {
    extends: './tsconfig.base.json',
    compilerOptions: {
      ...{ composite: false, noEmit: true, lib: ['es2023', 'dom'], types: ['jest', 'node'] },
      ...{ incremental: true, tsBuildInfoFile: 'tsconfig.tsbuildinfo' },
    },
    files: tests,
    include: ['packages/*/src'],
    exclude: ['**/*.test.ts', '**/*.live.ts'],
  };
  writeFileSync(at('tsconfig.checked.json'), JSON.stringify(checked));
  mkdirSync(at('node_modules/@drover'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '@drover' && !name.startsWith('.'))
      symlinkSync(join(root, 'node_modules', name), at(`node_modules/${name}`));
  packages.forEach(link);

  const tree = {
    written: new Set(),
    exists: (path) => existsSync(at(path)),
    read: (path) => (tree.exists(path) ? readFileSync(at(path), 'utf8') : null),
    children: (path) => readdirSync(at(path)),
    write: (path, content) => {
      tree.written.add(path);
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), content);
    },
  };
  const run = (path, ...args) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--experimental-vm-modules', join(root, 'node_modules', path), ...args],
      { cwd: folder, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
    );
    return { status, output: stdout + stderr };
  };
  return {
    tree,
    link,
    run,
    compile: () => run('typescript-native/bin/tsc', '-p', 'tsconfig.checked.json'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
