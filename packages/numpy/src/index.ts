export { numpy } from './format.js';
export { numpyDiagnostics } from './diagnostics.js';
