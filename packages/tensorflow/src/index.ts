export { tensorflow } from './format.js';
export { tensorflowDiagnostics } from './diagnostics.js';
