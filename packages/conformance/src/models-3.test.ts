import { describeModels, describeOwnFormat } from './models.js';

describeModels('tfjs', ['onnx', 'mxnet']);
describeOwnFormat('tfjs');
