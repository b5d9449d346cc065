import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { contents, scratch } from '../testing/fixture.js';
import { drover } from '../testing/in-process.js';

const folder = new URL('../../keras/src/testdata/', import.meta.url).pathname;

interface Told {
  readonly diagnostics: readonly {
    readonly code: string;
    readonly message: string;
    readonly severity: string;
    readonly origin: { readonly node?: string };
  }[];
}

const told = ({ stdout }: { readonly stdout: string }) => (JSON.parse(stdout) as Told).diagnostics;

const refused = [
  ['plain.h5', 'keras/not-keras'],
  ['missing.h5', 'keras/not-keras'],
  ['external-link.h5', 'keras/hdf5'],
  ['soft-link.h5', 'keras/hdf5'],
  ['legacy-link.h5', 'keras/hdf5'],
  ['cycle.h5', 'keras/hdf5'],
  ['external-storage.h5', 'keras/hdf5'],
  ['virtual.h5', 'keras/hdf5'],
  ['huge.h5', 'core/limit'],
  ['bomb.h5', 'core/limit'],
  ['chunk.h5', 'core/limit'],
  ['traversal.keras', 'zip/name'],
  ['duplicate.keras', 'core/duplicate'],
  ['inflated.keras', 'core/limit'],
  ['deep.keras', 'core/limit'],
] as const;
const read = ['compressed.h5', 'references.h5', 'runs.keras'];

it('knows every hostile file', () => {
  const files = readdirSync(folder).filter((name) => !name.endsWith('.npy'));
  expect(files.toSorted()).toEqual([...refused.map(([name]) => name), ...read].toSorted());
});

it.each(refused)(
  '%s is refused as %s by every command, and nothing is written',
  async (name, code) => {
    const out = scratch();
    for (const args of [
      ['convert', join(folder, name), join(out, 'm.safetensors')],
      ['tensors', join(folder, name), '--statistics'],
    ]) {
      const ran = await drover(...args, '--json');
      const errors = told(ran).filter(({ severity }) => severity === 'error');
      expect([ran.code, errors.map((each) => each.code)]).toEqual([4, [code]]);
    }
    expect(contents(out).size).toBe(0);
  },
);

it.each(read)('of %s the tensors are listed', async (name) => {
  const ran = await drover('tensors', join(folder, name), '--json');
  expect(ran.code).toBe(0);
  expect(ran.stdout).toContain('"dense/kernel"');
});

it('a Lambda and a module path are named, and only the weights go on', async () => {
  const out = scratch();
  const file = join(folder, 'runs.keras');
  const ran = await drover('convert', file, join(out, 'm.keras'), '--rewrite', '--json');
  expect(ran.code).toBe(3);
  expect(told(ran).map(({ code, origin }) => [code, origin.node])).toEqual([
    ['keras/code', 'runs'],
    ['keras/custom-layer', 'opens'],
  ]);
  expect(contents(out).size).toBe(0);
  const weights = await drover('convert', file, join(out, 'm.weights.h5'), '--json');
  expect([weights.code, told(weights)]).toEqual([0, []]);
});
