import { describeModels, describeOwnFormat } from './models.js';

describeModels('onnx', ['tfjs', 'mxnet']);
describeOwnFormat('onnx');
