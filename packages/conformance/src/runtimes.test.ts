import { join } from 'node:path';
import { openFile } from '@drover/node';
import { tensor } from '@drover/core';
import { mxnet } from '@drover/runtimes/mxnet';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { tfjs } from '@drover/runtimes/tfjs';
import { goldenRun } from './golden-run.js';

const models = new URL('../../../fixtures/models/', import.meta.url).pathname;
const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });

describe('the adapters give what the frameworks gave', () => {
  it.each([
    [
      'torch-lstm_gru/ts_op11.onnx',
      'torch-lstm_gru/golden.npz',
      ['scores', 'lstm_state', 'gru_state'],
    ],
    ['torch-bert/ts_op17.onnx', 'torch-bert/golden_other_size.npz', ['hidden', 'pooled']],
    ['torch-bert/dynamo_op18_external.onnx', 'torch-bert/golden.npz', ['hidden', 'pooled']],
    ['torch-unet/ts_op11.onnx', 'torch-unet/golden.npz', ['mask']],
  ])('onnxruntime: %s', async (model, golden, outputs) => {
    const distances = await goldenRun(
      onnxruntime({ threads: 1 }),
      join(models, model),
      join(models, golden),
    );
    expect([...distances.keys()]).toEqual(outputs);
    for (const distance of distances.values()) expect(distance).toBeLessThan(2e-6);
  });

  it.each([
    [
      'tf-multi_io/tfjs/model.json',
      'tf-multi_io/golden.npz',
      ['Identity_2', 'Identity', 'Identity_1'],
    ],
    [
      'tf-multi_io/tfjs_sharded/model.json',
      'tf-multi_io/golden.npz',
      ['Identity_2', 'Identity', 'Identity_1'],
    ],
    ['tf-unet/tfjs/model.json', 'tf-unet/golden.npz', undefined],
    ['tf-lstm_plain/tfjs_cfv2/model.json', 'tf-lstm_plain/golden.npz', undefined],
  ])('tfjs: %s', async (model, golden, outputs) => {
    const distances = await goldenRun(tfjs(), join(models, model), join(models, golden));
    if (outputs) expect([...distances.keys()].sort()).toEqual([...outputs].sort());
    expect(distances.size).toBeGreaterThan(0);
    for (const distance of distances.values()) expect(distance).toBeLessThan(5e-6);
  });
});

describe('the adapters fail with a code', () => {
  it('onnxruntime: what is no model', async () => {
    const source = await openFile(join(models, 'tf-multi_io/tfjs/model.json'));
    await expect(onnxruntime().load({ source })).rejects.toEqual(failing('runtimes/refused'));
    source.close();
  });

  it('onnxruntime: an id outside the vocabulary', async () => {
    const source = await openFile(join(models, 'torch-lstm_gru/ts_op17.onnx'));
    const model = await onnxruntime().load({ source });
    expect(model.inputs.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['tokens', 'int64', ['batch', 'length']],
    ]);
    await expect(
      model.run(new Map([['tokens', tensor('int64', [1, 2], [0, 10n ** 9n])]])),
    ).rejects.toEqual(failing('runtimes/failed'));
    await expect(model.run(new Map([['token', tensor('int64', [1, 2], [0, 1])]]))).rejects.toEqual(
      failing('core/unknown-input'),
    );
    await model.dispose();
    source.close();
  });

  it('tfjs: what is no model', async () => {
    const source = await openFile(join(models, 'mxnet-lenet/model-symbol.json'));
    await expect(tfjs().load({ source })).rejects.toHaveProperty('diagnostics');
    source.close();
  });

  it('mxnet: no Python, or one that is not there', async () => {
    const source = await openFile(join(models, 'mxnet-lenet/model-symbol.json'));
    await expect(mxnet({ python: '/nowhere/python' }).load({ source })).rejects.toEqual(
      failing('runtimes/not-installed'),
    );
    source.close();
  });
});
