import { Graph, Model, ops, symbol, tensor, Weight, writeModel } from '@drover/core';
import { mxnet } from '@drover/mxnet';
import { outputFolder } from '@drover/node';
import { onnx } from '@drover/onnx';
import { tfjs } from '@drover/tfjs';

const graph = new Graph();
const x = graph.input('x', 'float32', [symbol('batch'), 3]);
const kernel = Weight.from(tensor('float32', [3, 2], [1, 2, 3, 4, 5, 6]), 'kernel');
const { y } = graph.add(ops.MatMul, { a: x, b: graph.constant(kernel, 'kernel') }, {});
graph.output('y', graph.add(ops.Relu, { x: y }, {}).y);

for (const to of [onnx, tfjs, mxnet])
  await writeModel(new Model(graph), { to, sink: outputFolder(to.id) });
