import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { convert, type Format } from '@drover/core';
import { mxnet } from '@drover/mxnet';
import { openFile, outputFile, ownFiles } from '@drover/node';
import { onnx } from '@drover/onnx';
import { tfjs } from '@drover/tfjs';
import { contents, copyOf, model, scratch } from '../testing/fixture.js';
import { drover } from '../testing/in-process.js';

const unet = model('torch-unet/ts_op11.onnx');
const recurrent = model('torch-lstm_gru/ts_op17.onnx');
const bert = model('torch-bert/dynamo_op18_external.onnx');
const lenet = model('mxnet-lenet/model-symbol.json');

const succeed = async (...args: readonly string[]) => {
  const { code, stderr } = await drover(...args);
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/^(error|warning)/m)]);
  return stderr;
};
const namesIn = (folder: string) => readdirSync(folder).sort();

/** An ONNX model with its weights in another file: `name` and `name.data` in a folder. */
async function withData(folder: string, name: string): Promise<string> {
  await succeed('convert', bert, join(folder, name));
  expect(namesIn(folder)).toEqual(expect.arrayContaining([name, `${name}.data`]));
  return join(folder, name);
}

describe('models in one folder have files of their own', () => {
  it.each([
    ['tfjs', 'model.json', 'b.json', ['b-group1-shard1of1.bin', 'group1-shard1of1.bin']],
    ['mxnet', 'a-symbol.json', 'b-symbol.json', ['a-0000.params', 'b-0000.params']],
    ['onnx', 'a.onnx', 'b.onnx', []],
  ])('%s', async (_, first, second, weights) => {
    const folder = scratch();
    await succeed('convert', unet, join(folder, first));
    await succeed('convert', recurrent, join(folder, second), '--force');
    expect(namesIn(folder)).toEqual([first, second, ...weights].sort());
    for (const [source, name] of [
      [unet, first],
      [recurrent, second],
    ] as const) {
      const again = join(scratch(), name);
      await succeed('convert', source, again);
      const ours = contents(folder);
      for (const [file, content] of contents(dirname(again))) expect(ours.get(file)).toBe(content);
    }
  });

  it.each([
    ['tfjs', model('tf-multi_io/tfjs_sharded'), 'a.json', /^a-group1-shard\dof\d\.bin$/],
    ['mxnet', lenet, 'a-symbol.json', /^a-0000\.params$/],
    ['onnx', bert, 'a.onnx', /^a\.onnx\.data$/],
  ])('a copy in %s names them after itself', async (_, source, name, expected) => {
    const folder = scratch();
    await succeed('convert', source, join(folder, name));
    const others = namesIn(folder).filter((each) => each !== name);
    expect(others.length).toBeGreaterThan(0);
    for (const each of others) expect(each).toMatch(expected);
  });
});

describe('--force', () => {
  it('leaves none of the shards that only the replaced model had', async () => {
    const path = join(scratch(), 'model.json');
    await succeed('convert', unet, path, '--shard-size', '4000');
    expect(namesIn(dirname(path)).length).toBeGreaterThan(5);
    const told = await succeed('convert', unet, path, '--force');
    expect(namesIn(dirname(path))).toEqual(['group1-shard1of1.bin', 'model.json']);
    expect(told).toMatch(/are removed: .*group1-shard1of13\.bin.* and 5 more\./);
  });

  it('removes the external data of a replaced ONNX model, and of none that stands beside it', async () => {
    const folder = scratch();
    const path = await withData(folder, 'a.onnx');
    await withData(folder, 'b.onnx');
    await succeed('convert', unet, path, '--force');
    expect(namesIn(folder)).toEqual(['a.onnx', 'b.onnx', 'b.onnx.data']);
    await succeed('parity', join(folder, 'b.onnx'), bert);
  });

  it('lets a model share files with another one that it does not replace', async () => {
    const path = copyOf('tf-unet/tfjs/model.json');
    const folder = dirname(path);
    cpSync(path, join(folder, 'b.json'));
    const shard = readFileSync(join(folder, 'group1-shard1of1.bin'));
    await succeed('convert', unet, join(folder, 'b.json'), '--force');
    expect(readFileSync(join(folder, 'group1-shard1of1.bin')).equals(shard)).toBe(true);
    await succeed('parity', path, model('tf-unet/tfjs'));
  });

  it.each([
    ['tfjs', unet, 'b.json', 'b-group1-shard1of1.bin', tfjs],
    ['onnx', bert, 'b.onnx', 'b.onnx.data', onnx],
    ['mxnet', lenet, 'b-symbol.json', 'b-0000.params', mxnet],
  ] as const)(
    'does not write over a file of nobody: %s',
    async (_, source, name, weights, format: Format) => {
      const folder = scratch();
      // What stands there is a model of another format, which names no such file.
      await succeed('convert', unet, join(folder, 'other.onnx'));
      renameSync(join(folder, 'other.onnx'), join(folder, name));
      writeFileSync(join(folder, weights), 'of nobody');
      const before = contents(folder);
      const { code, stderr } = await drover('convert', source, join(folder, name), '--force');
      expect([code, stderr]).toEqual([2, expect.stringMatching(/^error node\/exists: /)]);
      expect(stderr).toContain(weights);
      expect(contents(folder)).toEqual(before);

      const path = join(folder, name);
      const error: unknown = await convert({
        from: source === unet || source === bert ? onnx : mxnet,
        to: format,
        source: await openFile(source),
        sink: outputFile(path, { replaces: await ownFiles(path, [onnx, tfjs, mxnet]) }),
        path: basename(path),
      }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ diagnostics: [{ code: 'node/exists' }] });
      expect(contents(folder)).toEqual(before);
    },
  );

  it('leaves everything as it was when the conversion fails', async () => {
    const path = copyOf('tf-multi_io/tfjs_sharded/model.json');
    const before = contents(dirname(path));
    const broken = copyOf('mxnet-lenet/model-symbol.json');
    rmSync(join(dirname(broken), 'model-0000.params'));
    expect((await drover('convert', broken, path, '--force')).code).toBe(2);
    expect(contents(dirname(path))).toEqual(before);
  });

  it('replaces a model by itself', async () => {
    const folder = scratch();
    const path = await withData(folder, 'a.onnx');
    await succeed('convert', path, path, '--force');
    expect(namesIn(folder)).toEqual(['a.onnx', 'a.onnx.data']);
    await succeed('parity', path, bert);
  });

  it('replaces the model of a folder', async () => {
    const folder = join(scratch(), 'web');
    await succeed('convert', unet, folder, '--to', 'tfjs', '--shard-size', '4000');
    await succeed('convert', recurrent, folder, '--to', 'tfjs', '--force');
    expect(namesIn(folder)).toEqual(['group1-shard1of1.bin', 'model.json']);
  });

  it('can be had in the library', async () => {
    const folder = scratch();
    const path = await withData(folder, 'a.onnx');
    const replaces = await ownFiles(path, [onnx, tfjs, mxnet]);
    expect(replaces).toEqual(['a.onnx', 'a.onnx.data']);
    const sink = outputFile(path, { replaces });
    await convert({ from: onnx, to: onnx, source: await openFile(unet), sink, path: 'a.onnx' });
    expect(namesIn(folder)).toEqual(['a.onnx']);
    expect(sink.removed).toEqual([`${path}.data`]);
  });
});

describe('MXNet finds parameters by their names', () => {
  it('is not given a model that would be read with those of another epoch', async () => {
    const folder = scratch();
    const path = join(folder, 'net-symbol.json');
    writeFileSync(join(folder, 'net-0005.params'), 'of a training');
    const before = contents(folder);
    const { code, stderr } = await drover('convert', unet, path);
    expect([code, stderr]).toEqual([2, expect.stringContaining('net-0005.params')]);
    expect(stderr).toMatch(/^error mxnet\/other-params/);
    expect(contents(folder)).toEqual(before);
  });

  it('replaces the epoch that was read, and takes no other away', async () => {
    const path = copyOf('mxnet-lenet/model-symbol.json');
    for (const other of ['old_attr', 'old_param'])
      rmSync(join(dirname(path), `${other}-symbol.json`));
    const params = (epoch: string) => join(dirname(path), `model-${epoch}.params`);
    renameSync(params('0000'), params('0007'));
    await succeed('convert', lenet, path, '--force');
    expect(namesIn(dirname(path)).filter((name) => name.endsWith('.params'))).toEqual([
      'model-0000.params',
    ]);
    cpSync(params('0000'), params('0007'));
    cpSync(params('0000'), params('0003'));
    const before = contents(dirname(path));
    expect((await drover('convert', lenet, path, '--force')).code).toBe(2);
    expect(contents(dirname(path))).toEqual(before);
  });
});
