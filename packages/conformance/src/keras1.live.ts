import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convert, type DroverError } from '@drover/core';
import { keras } from '@drover/keras';
import { openFile, outputFolder } from '@drover/node';

const script = new URL('./keras-models.py', import.meta.url).pathname;
const fixtures = new URL('../../../fixtures/checkpoints/', import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), 'drover-keras1-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const pythons = {
  2: process.env['DROVER_TENSORFLOW_PYTHON']!,
  3: process.env['DROVER_KERAS3_PYTHON']!,
} as const;
type Generation = keyof typeof pythons;

/** Folders of models of the real Keras 1 with what it predicted. */
const models = readdirSync(fixtures).filter(
  (folder) =>
    folder.startsWith('keras-v1_') &&
    'outputs' in
      (JSON.parse(readFileSync(join(fixtures, folder, 'expected.json'), 'utf8')) as object),
);

async function written(folder: string, kerasVersion: Generation, end: string): Promise<string> {
  const source = await openFile(join(fixtures, folder, 'model.h5'));
  const out = mkdtempSync(join(root, 'out-'));
  const path = `model.${end}`;
  const options = { kerasVersion };
  try {
    await convert({ from: keras, to: keras, source, sink: outputFolder(out), path, options });
  } finally {
    source.close();
  }
  return join(out, path);
}

const cases = models.flatMap((folder) =>
  ([2, 3] as const)
    // Keras 3 has another function of that name; Keras 2 has no channels first on a CPU.
    .filter((generation) => !folder.endsWith(generation === 3 ? 'hard_sigmoid' : '_th'))
    .map((generation) => [folder, generation] as const),
);

it.each(cases)(
  '%s, of Keras 1, predicts the same in Keras %i',
  async (folder, generation) => {
    const expected = join(fixtures, folder, 'expected.json');
    const pairs: string[] = [];
    for (const end of ['h5', 'keras'])
      pairs.push(`${expected}=${await written(folder, generation, end)}`);
    const printed = execFileSync(pythons[generation], [script, 'predict', ...pairs], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const distances = JSON.parse(printed.toString()) as readonly (readonly number[])[];
    expect(distances.length).toBe(2);
    for (const distance of distances.flat()) expect(distance).toBeLessThan(1e-5);
  },
  300_000,
);

it('hard_sigmoid of Keras 1 is refused by Keras 3, layer by layer', async () => {
  const error: unknown = await written('keras-v1_hard_sigmoid', 3, 'keras').catch(
    (e: unknown) => e,
  );
  const { diagnostics } = error as DroverError;
  const refused = diagnostics.filter(({ code }) => code === 'keras/meaning');
  expect(refused.map(({ origin }) => origin.node)).toEqual(
    expect.arrayContaining(['lstm', 'joined', 'gru', 'joined_gru']),
  );
});
