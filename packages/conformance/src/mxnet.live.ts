import { join } from 'node:path';
import { tensor } from '@drover/core';
import { openFile } from '@drover/node';
import { mxnet } from '@drover/runtimes/mxnet';
import { goldenRun } from './golden-run.js';

const models = new URL('../../../fixtures/models/', import.meta.url).pathname;

describe('real MXNet', () => {
  it.each(['mxnet-lenet', 'mxnet-gru', 'mxnet-lstm', 'mxnet-segmenter', 'mxnet-transformer'])(
    'gives what it gave: %s',
    async (name) => {
      const distances = await goldenRun(
        mxnet(),
        join(models, name, 'model-symbol.json'),
        join(models, name, 'golden.npz'),
      );
      expect(distances.size).toBeGreaterThan(0);
      for (const distance of distances.values()) expect(distance).toBeLessThan(1e-6);
    },
    60_000,
  );

  it('tells its own error, and runs on after it', async () => {
    const source = await openFile(join(models, 'mxnet-lenet/model-symbol.json'));
    const model = await mxnet().load({ source });
    expect(model.inputs.map(({ name }) => name)).toEqual(['data']);
    const wrong = new Map([['data', tensor('float32', [1, 1], [0])]]);
    await expect(model.run(wrong)).rejects.toEqual(
      expect.objectContaining({
        diagnostics: [expect.objectContaining({ code: 'runtimes/failed' })],
      }),
    );
    await expect(model.run(wrong)).rejects.toHaveProperty('diagnostics');
    await model.dispose();
    source.close();
  }, 60_000);
});
