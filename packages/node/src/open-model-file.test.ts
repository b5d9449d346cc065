import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Diagnostic, DroverError } from '@drover/core';
import { openModelFile, readStandardInput } from './open-model-file.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-model-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (...names: string[]) => names.forEach((name) => writeFileSync(join(root, name), name));
const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });

const names = [['model.json'], ['*-symbol.json'], ['*.onnx'], ['checkpoint', '*.index']];

describe('openModelFile', () => {
  it.each([
    [['model.json', 'group1-shard1of1.bin', 'golden.npz'], 'model.json'],
    [['net-symbol.json', 'net-0000.params'], 'net-symbol.json'],
    [['net.onnx', 'net.onnx.data', 'config.json'], 'net.onnx'],
    [['a.index', 'b.index', 'checkpoint'], 'checkpoint'],
    [['a.index', 'a.data-00000-of-00001'], 'a.index'],
  ])('finds the model among %j', async (files, expected) => {
    put(...files);
    const source = await openModelFile(root, names);
    expect(source.name).toBe(join(root, expected));
    source.close();
  });

  it('asks which one when there are several', async () => {
    put('a.onnx', 'model.json');
    await expect(openModelFile(root, names)).rejects.toEqual(failing('node/ambiguous-model'));
    const source = await openModelFile(join(root, 'a.onnx'), names);
    expect(source.size).toBe('a.onnx'.length);
    source.close();
  });

  it('names what is called so but for its end', async () => {
    put('ckpt-1.index', 'ckpt-1.data-00000-of-00001', 'ckpt-10.index');
    const error = (await openModelFile(join(root, 'ckpt-1'), names).catch(
      (thrown: unknown) => thrown,
    )) as DroverError;
    const [{ code, help }] = error.diagnostics as [Diagnostic];
    expect([code, help]).toEqual([
      'core/missing-file',
      'There is ckpt-1.data-00000-of-00001, ckpt-1.index: give the whole name.',
    ]);
  });

  it('tells that there is none', async () => {
    put('readme.txt');
    await expect(openModelFile(root, names)).rejects.toEqual(failing('node/no-model'));
    await expect(openModelFile(join(root, 'none'), names)).rejects.toEqual(
      failing('core/missing-file'),
    );
  });
});

it('reads a stream to its end', async () => {
  async function* chunks() {
    yield new Uint8Array([1, 2]);
    yield new Uint8Array([3]);
  }
  const source = await readStandardInput(chunks());
  expect(source.name).toBe('-');
  expect([...(await source.read())]).toEqual([1, 2, 3]);
  expect([...(await source.read({ offset: 1, length: 2 }))]).toEqual([2, 3]);
  await expect(source.sibling('x')).rejects.toEqual(failing('core/missing-file'));
});
