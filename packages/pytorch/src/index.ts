export { pytorch } from './format.js';
export { pytorchDiagnostics } from './diagnostics.js';
