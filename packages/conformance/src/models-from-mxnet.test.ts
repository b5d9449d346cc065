import { describeModels, describeOwnFormat } from './models.js';

describeModels(
  'mxnet',
  ['onnx', 'tfjs', 'mxnet'].filter((to) => to !== 'mxnet'),
);
describeOwnFormat('mxnet');
