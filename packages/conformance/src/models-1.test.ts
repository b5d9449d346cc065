import { describeModels, describeOwnFormat } from './models.js';

describeModels('mxnet', ['onnx', 'tfjs']);
describeOwnFormat('mxnet');
