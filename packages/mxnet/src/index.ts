export { mxnet } from './format.js';
export { mxnetDiagnostics } from './diagnostics.js';
