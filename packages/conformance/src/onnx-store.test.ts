import { openModel, Report, tensor } from '@drover/core';
import { onnx } from '@drover/onnx';
import { info, initializer, modelOf, node, sourceOfModel } from './small-model.js';

const io = { input: [info('x', 'float32', [2])], output: [info('y', 'float32', [2])] };
const stored = (name: string) => initializer(name, tensor('float32', [2], [1, 2]));

test('the store of an ONNX model has its initializers in order, also what nothing uses', async () => {
  const model = modelOf({
    node: [node('Add', ['x', 'w'], ['y'])],
    initializer: [stored('spare'), stored('w')],
    ...io,
  });
  const { store } = await openModel(await sourceOfModel(model), onnx);
  expect([...store].map(({ name, role }) => [name, role])).toEqual([
    ['spare', 'parameter'],
    ['w', 'parameter'],
  ]);
});

test('graphs that say how a model is trained are told as left', async () => {
  const model = { ...modelOf({ node: [node('Neg', ['x'], ['y'])], ...io }), trainingInfo: [{}] };
  const report = new Report();
  await openModel(await sourceOfModel(model), onnx, { report });
  expect(report.diagnostics.map(({ code }) => code)).toEqual(['onnx/training']);
});
