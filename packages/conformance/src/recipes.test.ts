import { copyFileSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openModel, toNumbers } from '@drover/core';
import { openFile } from '@drover/node';
import { onnx } from '@drover/onnx';
import { modelFolder } from './model-fixture.js';
import { writers } from './subjects.js';

const mobilenet = join(modelFolder, 'torch-mobilenet_v2', 'ts_op17.onnx');
const before = process.cwd();
const { log } = console;
const printed: unknown[] = [];

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-recipes-'));
  copyFileSync(mobilenet, join(folder, 'model.onnx'));
  process.chdir(folder);
  printed.length = 0;
  console.log = (each: unknown) => void printed.push(each);
});
afterEach(() => {
  console.log = log;
  process.chdir(before);
});

describe('the recipes of the README', () => {
  it('count operators', async () => {
    await import('./recipes/count-operators.js');
    expect(printed).toEqual([expect.objectContaining({ Conv: 22, Clip: 15, Gemm: 1 })]);
  });

  it('replace a weight', async () => {
    await import('./recipes/replace-weight.js');
    const [there, here] = await Promise.all(
      ['model.onnx', 'patched.onnx'].map(async (name) => {
        const { store } = await openModel(await openFile(name), onnx);
        const read = async (key: string) =>
          Array.from(toNumbers(await store.get(key)!.weight.tensor())).sort((a, b) => a - b);
        return {
          bias: await read('net.classifier.1.bias'),
          weight: await read('net.classifier.1.weight'),
        };
      }),
    );
    expect(there!.bias.some(Boolean)).toBe(true);
    expect(here!.bias).toEqual(new Array(7).fill(0));
    expect(here!.weight).toEqual(there!.weight);
  });

  it('build a graph and write it to three formats', async () => {
    await import('./recipes/build-and-write.js');
    for (const [id, { format }] of writers) {
      expect(readdirSync(id)).toContain(format.fileNames.usual);
      const source = await openFile(join(id, format.fileNames.usual));
      const { graph } = await openModel(source, format);
      expect(graph.outputs.map(({ value }) => value.shape?.at(-1))).toEqual([2]);
    }
  });

  it('convert in a browser', async () => {
    const { toTfjs } = await import('./recipes/convert-in-browser.js');
    const files = await toTfjs(new File([readFileSync('model.onnx')], 'model.onnx'));
    expect([...files.keys()].sort()).toEqual(['group1-shard1of1.bin', 'model.json']);
  });
});
