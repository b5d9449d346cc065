// Before tests that let runtimes run in processes of their own: those load what is compiled.
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';

export default function setUp() {
  const root = resolve(import.meta.dirname, '..');
  execFileSync(
    process.execPath,
    [
      join(root, 'node_modules/typescript-native/bin/tsc'),
      '-b',
      join(root, 'packages/runtimes/tsconfig.lib.json'),
    ],
    // What a caller gives its own Node is not for the compiler.
    { env: { ...process.env, NODE_OPTIONS: '' }, stdio: ['ignore', 'inherit', 'inherit'] },
  );
}
