import { describeModels, describeOwnFormat, runtimes } from './models.js';
import { tensorflow } from './tensorflow.js';

const real = tensorflow(process.env['DROVER_TENSORFLOW_PYTHON']!);
const running = { ...runtimes, tfjs: real };

afterAll(() => real.end());

describe('in real TensorFlow', () => {
  describeModels('onnx', ['tfjs'], running);
  describeModels('mxnet', ['tfjs'], running);
  describeOwnFormat('tfjs', running);
});
