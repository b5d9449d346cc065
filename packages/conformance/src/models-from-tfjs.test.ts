import { describeModels, describeOwnFormat } from './models.js';

describeModels(
  'tfjs',
  ['onnx', 'tfjs', 'mxnet'].filter((to) => to !== 'tfjs'),
);
describeOwnFormat('tfjs');
