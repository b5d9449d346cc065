import { openModel } from '@drover/core';
import { openFile } from '@drover/node';
import { onnx } from '@drover/onnx';

const model = await openModel(await openFile('model.onnx'), onnx);
console.log(Object.fromEntries(model.operators)); // { Conv: 22, Clip: 15, Add: 3, … }
