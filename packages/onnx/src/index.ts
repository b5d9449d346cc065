export { onnx } from './format.js';
export { onnxDiagnostics } from './diagnostics.js';
