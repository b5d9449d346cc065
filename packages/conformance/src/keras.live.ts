import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { convert, type DroverError } from '@drover/core';
import { keras } from '@drover/keras';
import { openFile, outputFolder } from '@drover/node';
import { safetensors } from '@drover/safetensors';

const script = new URL('./keras-models.py', import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), 'drover-keras-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const pythons = {
  2: process.env['DROVER_TENSORFLOW_PYTHON']!,
  3: process.env['DROVER_KERAS3_PYTHON']!,
} as const;
type Generation = keyof typeof pythons;

/** What a Keras says of a model. */
interface Facts {
  readonly keras: string;
  /** Base64, in Keras' order. */
  readonly weights: readonly string[];
  readonly outputs: readonly (readonly number[])[];
}

function run<T>(generation: Generation, ...args: readonly string[]): T {
  const printed = execFileSync(pythons[generation], [script, ...args], {
    maxBuffer: 2 ** 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(printed.toString()) as T;
}

/** Names of models of Keras' own layers; `custom` has one that is not. */
const own = ['image', 'text', 'sequence', 'recurrent'] as const;
const folder = (generation: Generation) => join(root, `${generation}`);
const made = new Map<Generation, Readonly<Record<string, Facts>>>();

beforeAll(() => {
  for (const generation of [2, 3] as const) {
    mkdirSync(folder(generation));
    made.set(generation, run(generation, 'make', folder(generation)));
  }
}, 300_000);

async function written(
  from: Generation,
  file: string,
  to: Generation,
  end: string,
  shardSize?: number,
): Promise<string> {
  const source = await openFile(join(folder(from), file));
  const out = mkdtempSync(join(root, 'out-'));
  const path = `model.${end}`;
  const sink = outputFolder(out);
  const options = { kerasVersion: to, shardSize };
  await convert({ from: keras, to: keras, source, sink, path, options, rewrite: true });
  source.close();
  return join(out, path);
}

function expectSame(found: Facts, expected: Facts): void {
  expect(found.weights.toSorted()).toEqual(expected.weights.toSorted());
  expect(found.outputs.map((each) => each.length)).toEqual(
    expected.outputs.map((each) => each.length),
  );
  found.outputs.forEach((output, i) => {
    const wanted = expected.outputs[i]!;
    const largest = Math.max(...wanted.map(Math.abs));
    const furthest = Math.max(...output.map((value, k) => Math.abs(value - wanted[k]!)));
    expect(largest).toBeGreaterThan(0);
    expect(furthest / largest).toBeLessThan(1e-5);
  });
}

const ways = ([2, 3] as const).flatMap((from) =>
  ([2, 3] as const).map((to) => [from, to] as const),
);

describe.each(ways)('from Keras %i to Keras %i', (from, to) => {
  it('whole models load, hold every weight, and predict the same', async () => {
    const cases = own.flatMap((name) =>
      (['h5', 'keras'] as const).flatMap((before) =>
        (['h5', 'keras'] as const).map((after) => ({ name, before, after })),
      ),
    );
    const files: string[] = [];
    for (const { name, before, after } of cases)
      files.push(await written(from, `${name}.${before}`, to, after));
    const read = run<readonly Facts[]>(to, 'read', ...files);
    expect(read.every((facts) => facts.keras.startsWith(`${to}.`))).toBe(true);
    cases.forEach(({ name }, i) => expectSame(read[i]!, made.get(from)![name]!));
  }, 300_000);

  it('weights load into a model that is built there', async () => {
    const pairs: string[] = [];
    const cases = own.flatMap((name) => (['h5', 'keras'] as const).map((end) => ({ name, end })));
    for (const { name, end } of cases)
      pairs.push(`${name}=${await written(from, `${name}.${end}`, to, 'weights.h5')}`);
    const read = run<readonly Facts[]>(to, 'weights', ...pairs);
    cases.forEach(({ name }, i) => expectSame(read[i]!, made.get(from)![name]!));
  }, 300_000);

  it('a model with a layer of another class loads where the class is named', async () => {
    const files: string[] = [];
    for (const before of ['h5', 'keras'])
      for (const after of ['h5', 'keras'])
        files.push(await written(from, `custom.${before}`, to, after));
    for (const facts of run<readonly Facts[]>(to, 'read', '--custom', ...files))
      expectSame(facts, made.get(from)!['custom']!);
  }, 300_000);
});

it('shards load into a model that is built there', async () => {
  const path = await written(2, 'image.keras', 3, 'weights.json', 600);
  expect(readdirSync(dirname(path)).length).toBeGreaterThan(3);
  const [facts] = run<readonly Facts[]>(3, 'weights', `image=${path}`);
  expectSame(facts!, made.get(2)!['image']!);
}, 300_000);

it('a model that went through safetensors is one again', async () => {
  const source = await openFile(join(folder(2), 'image.h5'));
  const through = mkdtempSync(join(root, 'out-'));
  await convert({ from: keras, to: safetensors, source, sink: outputFolder(through) });
  source.close();
  const between = await openFile(join(through, 'model.safetensors'));
  const out = mkdtempSync(join(root, 'out-'));
  const path = 'model.keras';
  await convert({ from: safetensors, to: keras, source: between, sink: outputFolder(out), path });
  between.close();
  const [facts] = run<readonly Facts[]>(3, 'read', join(out, path));
  expectSame(facts!, made.get(2)!['image']!);
}, 300_000);

it('a whole model is not made of weights alone', async () => {
  const error: unknown = await written(3, 'image.weights.h5', 3, 'keras').catch((e: unknown) => e);
  expect((error as DroverError).diagnostics.map(({ code }) => code)).toEqual(['keras/no-config']);
});
