import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Format } from '@drover/core';
import { checkPath } from '@drover/core/format';
import { ownFiles } from './own-files.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-own-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (name: string) => join(root, name);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A format whose models are a line that says so, and then the paths of their weights. */
const listing: Pick<Format, 'detect' | 'files'> = {
  detect: async (source) => (text(await source.read()).startsWith('model\n') ? 'model' : undefined),
  files: async (source) =>
    text(await source.read())
      .split('\n')
      .slice(1)
      .map((path) => checkPath(path, source.name)),
};
const put = (name: string, ...weights: readonly string[]) =>
  writeFileSync(at(name), ['model', ...weights].join('\n'));

describe('ownFiles', () => {
  it('gives the main file and what it names, there or not', async () => {
    put('a.model', 'a.bin', 'sub/b.bin', 'a.model');
    writeFileSync(at('a.bin'), 'weights');
    writeFileSync(at('c.bin'), 'of nobody');
    expect(await ownFiles(at('a.model'), [listing])).toEqual(['a.model', 'a.bin', 'sub/b.bin']);
  });

  it('gives nothing where nothing stands', async () => {
    put('a.model', 'a.bin');
    expect(await ownFiles(at('b.model'), [listing])).toEqual([]);
    expect(await ownFiles(at('a.model/b.model'), [listing])).toEqual([]);
  });

  it.each([
    ['is no model', 'text'],
    ['names files elsewhere', 'model\n../secret'],
  ])('gives the main file alone where it %s', async (_, content) => {
    writeFileSync(at('a.model'), content);
    expect(await ownFiles(at('a.model'), [listing])).toEqual(['a.model']);
    symlinkSync(at('nowhere'), at('b.model'));
    expect(await ownFiles(at('b.model'), [listing])).toEqual(['b.model']);
  });

  it('leaves what another model of the folder names, and that model', async () => {
    put('a.model', 'shared.bin', 'own.bin', 'b.model');
    put('b.model', 'shared.bin');
    mkdirSync(at('c.model'));
    expect(await ownFiles(at('a.model'), [listing])).toEqual(['a.model', 'own.bin']);
  });

  it('takes shards that are called after the main file, though each is one by itself', async () => {
    const shards = ['a-00001-of-00002.model', 'a-00002-of-00002.model'];
    put('a.model.index', ...shards, 'b-00001-of-00001.model', 'other.model');
    for (const name of [...shards, 'b-00001-of-00001.model', 'other.model'])
      put(name, `${name}.bin`);
    expect(await ownFiles(at('a.model.index'), [listing])).toEqual(['a.model.index', ...shards]);
    put('b.model', shards[1]!);
    expect(await ownFiles(at('a.model.index'), [listing])).toEqual(['a.model.index', shards[0]]);
  });

  it('takes weights that the format of the model reads by themselves, unless another names them', async () => {
    const both: typeof listing = {
      ...listing,
      detect: async (source) =>
        text(await source.read()).startsWith('weights') ? 'checkpoint' : listing.detect(source),
      files: async (source) =>
        text(await source.read()).startsWith('weights') ? [] : listing.files!(source),
    };
    put('a.model', 'a.bin');
    writeFileSync(at('a.bin'), 'weights');
    expect(await ownFiles(at('a.model'), [both])).toEqual(['a.model', 'a.bin']);
    const other: typeof listing = {
      ...both,
      detect: async (s) => ((await both.detect(s)) === 'checkpoint' ? 'checkpoint' : undefined),
    };
    expect(await ownFiles(at('a.model'), [listing, other])).toEqual(['a.model']);
    put('b.model', 'a.bin');
    expect(await ownFiles(at('a.model'), [both])).toEqual(['a.model']);
  });

  it('leaves hidden files, which a stranger could have named', async () => {
    put('a.model', '.profile', '.ssh/config', 'own.bin');
    expect(await ownFiles(at('a.model'), [listing])).toEqual(['a.model', 'own.bin']);
  });
});
