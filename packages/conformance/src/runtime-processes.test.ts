import { join } from 'node:path';
import { memorySource, tensor } from '@drover/core';
import { openFile } from '@drover/node';
import { onnx } from '@drover/onnx';
import { compareWithModel, runBaseline } from '@drover/parity';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { tfjs } from '@drover/runtimes/tfjs';
import { goldenRun } from './golden-run.js';
import { info, initializer, modelOf, node, sourceOfModel } from './small-model.js';

const models = new URL('../../../fixtures/models/', import.meta.url).pathname;
const apart = (answerLimit = 600) => onnxruntime({ threads: 1, process: { answerLimit } });
const finding = (code: string, message: RegExp, file = 'model.onnx') =>
  expect.objectContaining({
    diagnostics: [
      expect.objectContaining({
        code,
        message: expect.stringMatching(message) as string,
        origin: { file },
      }),
    ],
  });

it.each([
  ['torch-lstm_gru/ts_op11.onnx', 'torch-lstm_gru/golden.npz', apart()],
  ['torch-bert/dynamo_op18_external.onnx', 'torch-bert/golden.npz', apart()],
  ['tf-multi_io/tfjs_sharded/model.json', 'tf-multi_io/golden.npz', tfjs({ process: {} })],
  ['tf-lstm_plain/tfjs_cfv2/model.json', 'tf-lstm_plain/golden.npz', tfjs({ process: {} })],
])('%s gives what its framework gave', async (model, golden, runtime) => {
  const distances = await goldenRun(runtime, join(models, model), join(models, golden));
  expect(distances.size).toBeGreaterThan(0);
  for (const distance of distances.values()) expect(distance).toBeLessThan(5e-6);
});

/** onnxruntime 1.30 on x86 pools 16 channels in blocks, and divides by the size of the result. */
const pool = () =>
  sourceOfModel(
    modelOf({
      node: [node('MaxPool', ['x'], ['y'], { kernel_shape: [3, 3] })],
      input: [info('x', 'float32', [1, 16, 'height', 'width'])],
      output: [info('y', 'float32', [1, 16, 'up', 'across'])],
    }),
  );
const image = (size: number) => {
  const elements = Array.from({ length: 16 * size * size }, (_, i) => i);
  return new Map([['x', tensor('float32', [1, 16, size, size], elements)]]);
};

it('survives that onnxruntime divides by zero', async () => {
  const model = await apart().load({ source: await pool() });
  const outputs = await model.run(image(3));
  const last = Array.from({ length: 16 }, (_, channel) => 9 * channel + 8);
  expect(outputs.get('y')).toEqual(tensor('float32', [1, 16, 1, 1], last));
  const crashed = finding('runtimes/crashed', /^onnxruntime ended by the signal SIGFPE while/);
  await expect(model.run(image(2))).rejects.toEqual(crashed);
  await expect(model.run(image(3))).rejects.toEqual(crashed);
  await model.dispose();
});

it.each([
  [2, 'undecided', ['reference', 'reference']],
  [4, 'agree', ['onnxruntime', 'onnxruntime']],
] as const)('compares an image of %i across: %s', async (size, verdict, ran) => {
  const opened = { source: await pool(), format: onnx };
  const runtimes = [apart()];
  const baseline = await runBaseline(opened, { runtimes, inputs: image(size) });
  const comparison = await compareWithModel(baseline, opened, { runtimes });
  expect([comparison.verdict, comparison.runtimes]).toEqual([verdict, ran]);
  const failures = comparison.diagnostics.filter(({ code }) => code === 'parity/runtime-failed');
  const told = ran.flatMap((name) => (name === 'reference' ? [/ended by the signal SIGFPE/] : []));
  expect(failures.map(({ message }) => message)).toEqual(
    told.map((message) => expect.stringMatching(message) as string),
  );
});

it('ends onnxruntime in a loop that never ends', async () => {
  const yes = initializer('yes', tensor('bool', [], [true]));
  const body = {
    name: 'body',
    node: [node('Identity', ['go'], ['on']), node('Add', ['sum', 'sum'], ['next'])],
    input: [info('trip', 'int64', []), info('go', 'bool', []), info('sum', 'float32', [])],
    output: [info('on', 'bool', []), info('next', 'float32', [])],
  };
  const source = await sourceOfModel(
    modelOf({
      node: [node('Loop', ['', 'yes', 'x'], ['y'], { body: { g: body } })],
      initializer: [yes],
      input: [info('x', 'float32', [])],
      output: [info('y', 'float32', [])],
    }),
  );
  const model = await apart(2).load({ source });
  await expect(model.run(new Map([['x', tensor('float32', [], [1])]]))).rejects.toEqual(
    finding('runtimes/timed-out', /^onnxruntime gave no answer within 2 s while it ran the model/),
  );
  await model.dispose();
});

it('tells a refusal, and errors of inputs, as in this process', async () => {
  const nothing = memorySource('m.onnx', new Map([['m.onnx', new Uint8Array([1, 2, 3])]]));
  await expect(apart().load({ source: nothing })).rejects.toEqual(
    finding('runtimes/refused', /^onnxruntime: .*protobuf/i, 'm.onnx'),
  );
  const source = await openFile(join(models, 'torch-lstm_gru/ts_op17.onnx'));
  const model = await apart().load({ source });
  const run = (name: string, ...values: bigint[]) =>
    model.run(new Map([[name, tensor('int64', [1, values.length], values)]]));
  await expect(run('tokens', 0n, 10n ** 9n)).rejects.toEqual(
    finding('runtimes/failed', /^onnxruntime: /, source.name),
  );
  await expect(run('token', 0n, 1n)).rejects.toEqual(
    finding('core/unknown-input', /"token"/, source.name),
  );
  await expect(model.run(new Map())).rejects.toEqual(
    finding('core/missing-input', /"tokens"/, source.name),
  );
  await model.dispose();
  source.close();
});

it('reads nothing that the source does not give', async () => {
  const secret = { ...initializer('w', tensor('float32', [1], [0])), dataLocation: 1 };
  const outside = {
    ...secret,
    rawData: undefined,
    externalData: [{ key: 'location', value: '../w' }],
  };
  const source = await sourceOfModel(
    modelOf({
      node: [node('Add', ['x', 'w'], ['y'])],
      initializer: [outside],
      input: [info('x', 'float32', [1])],
      output: [info('y', 'float32', [1])],
    }),
  );
  const opened = { source, format: onnx };
  await expect(apart().load(opened)).rejects.toThrow('core/path');
});
