import { openModel, tensor, Weight, writeModel } from '@drover/core';
import { openFile, outputFile } from '@drover/node';
import { onnx } from '@drover/onnx';

const model = await openModel(await openFile('model.onnx'), onnx);
const { graph } = model;
const bias = graph.constants().find(({ name }) => name === 'net.classifier.1.bias')!;
const zeros = tensor('float32', [7], new Array(7).fill(0));
graph.replaceUses(bias, graph.constant(Weight.from(zeros), bias.name, bias.origin));
await writeModel(model, { to: onnx, sink: outputFile('patched.onnx'), path: 'patched.onnx' });
