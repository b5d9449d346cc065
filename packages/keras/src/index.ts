export { keras } from './format.js';
export { kerasDiagnostics } from './diagnostics.js';
