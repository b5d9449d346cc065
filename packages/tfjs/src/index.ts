export { tfjs } from './format.js';
export { tfjsDiagnostics } from './diagnostics.js';
