import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openModel, toNumbers } from '@drover/core';
import { openFile } from '@drover/node';
import { onnx } from '@drover/onnx';
import * as v from 'valibot';
import { model, scratch } from '../testing/fixture.js';
import { drover } from '../testing/in-process.js';
import { documents } from './documents.js';

const unet = model('torch-unet/ts_op11.onnx');

async function listed(...args: readonly string[]) {
  const { code, stdout, stderr } = await drover('tensors', ...args, '--json');
  expect([code, stderr]).toEqual([0, '']);
  const document: unknown = JSON.parse(stdout);
  expect(v.parse(documents.tensors, document)).toEqual(document);
  return v.parse(documents.tensors, document);
}

describe('tensors', () => {
  it('lists what a model stores, by the names of the file', async () => {
    const { format, tensors } = await listed(unet);
    expect(format).toBe('onnx');
    expect(tensors.find(({ name }) => name === 'enc2.0.weight')).toEqual({
      name: 'enc2.0.weight',
      dtype: 'float32',
      shape: [12, 8, 3, 3],
      bytes: 4 * 12 * 8 * 3 * 3,
      role: 'parameter',
      aliases: [],
    });
  });

  it.each([
    ['enc2.0.weight', ['enc2.0.weight']],
    ['enc2.*.bias', ['enc2.0.bias', 'enc2.1.bias']],
    ['*.weight', undefined],
  ])('lists those that %s means', async (pattern, expected) => {
    const all = await listed(unet);
    const names = all.tensors.map(({ name }) => name);
    const { tensors } = await listed(unet, '--only', pattern);
    const found = tensors.map(({ name }) => name);
    expect(found).toEqual(expected ?? names.filter((name) => name.endsWith('.weight')));
    expect(found.length).toBeGreaterThan(0);
  });

  it('tells statistics of the elements', async () => {
    const source = await openFile(unet);
    const { store } = await openModel(source, onnx);
    const values = toNumbers(await store.get('enc2.0.weight')!.weight.tensor());
    source.close();
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const square = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
    const { tensors } = await listed(unet, '--only', 'enc2.0.weight', '--statistics');
    const { statistics } = tensors[0]!;
    expect(statistics).toMatchObject({
      least: Math.min(...values),
      greatest: Math.max(...values),
      zeros: 0,
      nan: 0,
      infinite: 0,
    });
    expect(statistics!.mean).toBeCloseTo(mean, 12);
    expect(statistics!.deviation).toBeCloseTo(Math.sqrt(square), 12);
  });

  it('says it in lines', async () => {
    const { code, stdout } = await drover('tensors', unet, '--only', 'enc2.*', '--statistics');
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(
      /^enc2\.0\.weight: float32\[12, 8, 3, 3\] parameter; -[\d.]+ to [\d.]+, mean -?[\d.e-]+, deviation [\d.]+$/,
    );
    expect(lines.at(-1)).toMatch(/^\d+ tensors, [\d,]+ elements, [\d,]+ bytes$/);
  });

  it('refuses a name that there is none of, and what is no model', async () => {
    const { code, stderr } = await drover('tensors', unet, '--only', 'nope*');
    expect(code).toBe(2);
    expect(stderr).toMatch(/cli\/usage: No tensor of .* is called "nope\*"/);
    const path = join(scratch(), 'x.onnx');
    writeFileSync(path, 'nothing');
    expect((await drover('tensors', path)).code).toBe(4);
  });
});
