import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contents, copyOf, scratch } from '../testing/fixture.js';
import { drover } from '../testing/in-process.js';

const training = '../checkpoints/pytorch-training/checkpoint.pth';
const tied = '../checkpoints/pytorch-tied/model.pth';
const other = '../checkpoints/safetensors-tied/model.safetensors';

interface Listed {
  readonly format: string;
  readonly tensors: readonly { readonly name: string; readonly role: string }[];
}

async function listed(path: string): Promise<Listed> {
  const { code, stdout } = await drover('tensors', path, '--json');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Listed;
}

/** The tensors of a file, whatever their order; what they are for each format tells in its way. */
const sorted = ({ tensors }: Listed) =>
  tensors.map(({ role: _, ...tensor }) => tensor).toSorted((a, b) => (a.name < b.name ? -1 : 1));

describe('PyTorch checkpoints', () => {
  it.each([
    ['safetensors to .pth', other, 'b.pth', 'pytorch'],
    ['a training checkpoint to safetensors', training, 'b.safetensors', 'safetensors'],
    ['.pth to .pth.tar, whatever an archive is named', training, 'b.pth.tar', 'pytorch'],
    ['.pth to .ckpt', tied, 'b.ckpt', 'pytorch'],
  ])('%s: the name of the output tells', async (_, fixture, name, format) => {
    const input = copyOf(fixture);
    const output = join(scratch(), name);
    expect((await drover('convert', input, output, '--rewrite')).code).toBe(0);
    const found = await listed(output);
    expect(found.format).toBe(format);
    expect(sorted(found)).toEqual(sorted(await listed(input)));
  });

  it('a pickle that runs code is refused by name, and nothing is written', async () => {
    const folder = scratch();
    const path = join(folder, 'model.pth');
    writeFileSync(path, '\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.', 'latin1');
    const before = contents(folder);
    const { code, stdout } = await drover('convert', path, join(folder, 'b.safetensors'), '--json');
    const { diagnostics } = JSON.parse(stdout) as {
      readonly diagnostics: readonly { readonly code: string; readonly message: string }[];
    };
    expect(code).toBe(4);
    expect(diagnostics.map((each) => each.code)).toEqual(['pytorch/unsafe']);
    expect(diagnostics[0]!.message).toContain('os.system');
    expect(contents(folder)).toEqual(before);
  });
});
