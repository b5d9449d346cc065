import { describeModels, describeOwnFormat } from './models.js';

describeModels(
  'onnx',
  ['onnx', 'tfjs', 'mxnet'].filter((to) => to !== 'onnx'),
);
describeOwnFormat('onnx');
