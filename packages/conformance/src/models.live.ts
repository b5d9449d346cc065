import { mxnet } from '@drover/runtimes/mxnet';
import { describeModels, describeOwnFormat, runtimes } from './models.js';

const real = { ...runtimes, mxnet: mxnet() };

describe('in real MXNet', () => {
  describeModels('onnx', ['mxnet'], real);
  describeModels('tfjs', ['mxnet'], real);
  describeModels('mxnet', ['onnx', 'tfjs'], real);
  describeOwnFormat('mxnet', real);
});
