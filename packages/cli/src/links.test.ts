import { copyFileSync, linkSync, mkdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { model, scratch } from '../testing/fixture.js';
import { drover } from '../testing/in-process.js';

const bert = model('torch-bert/dynamo_op18_external.onnx');
const golden = model('torch-bert/golden.npz');
const name = basename(bert);

/** A model whose weights lie in another folder, behind a link of a kind. */
function linked(kind: 'symbolic' | 'hard'): string {
  const folder = scratch();
  mkdirSync(join(folder, 'elsewhere'));
  mkdirSync(join(folder, 'here'));
  copyFileSync(bert, join(folder, 'here', name));
  copyFileSync(`${bert}.data`, join(folder, 'elsewhere', 'weights'));
  const path = join(folder, 'here', `${name}.data`);
  if (kind === 'hard') linkSync(join(folder, 'elsewhere', 'weights'), path);
  else symlinkSync('../elsewhere/weights', path);
  return join(folder, 'here', name);
}

/** The commands that read a model, on a model. */
const commands: readonly (readonly [string, (path: string) => readonly string[]])[] = [
  ['convert', (path) => ['convert', path, join(scratch(), 'model.json')]],
  ['convert --verify', (path) => ['convert', path, join(scratch(), 'model.json'), '--verify']],
  ['inspect', (path) => ['inspect', path]],
  ['run', (path) => ['run', path, '--inputs', golden]],
  ['parity', (path) => ['parity', path, bert]],
  ['parity, the other side', (path) => ['parity', bert, path]],
];

describe.each(['symbolic', 'hard'] as const)('weights behind a %s link', (kind) => {
  it.each(commands)('%s refuses them and says what to do', async (_, command) => {
    const { code, stderr } = await drover(...command(linked(kind)));
    expect(code).toBe(4);
    expect(stderr).toMatch(/^error core\/path: .*\.onnx\.data.* is a (hard link|link that leads)/m);
    expect(stderr).toContain('--allow-links');
  });

  it.each(commands)('%s reads them when told to', async (_, command) => {
    expect((await drover(...command(linked(kind)), '--allow-links')).code).toBe(0);
  });
});

it('weights of a Hugging Face cache are read without being told', async () => {
  const repository = join(scratch(), 'hub', 'models--some--bert');
  const snapshot = join(repository, 'snapshots', '0123456789abcdef');
  mkdirSync(join(repository, 'blobs'), { recursive: true });
  mkdirSync(snapshot, { recursive: true });
  for (const [blob, file] of [
    ['aa11', name],
    ['bb22', `${name}.data`],
  ] as const) {
    copyFileSync(model(`torch-bert/${file}`), join(repository, 'blobs', blob));
    symlinkSync(join('..', '..', 'blobs', blob), join(snapshot, file));
  }
  for (const [, command] of commands)
    expect((await drover(...command(join(snapshot, name)))).code).toBe(0);
});
