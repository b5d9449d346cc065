export { safetensors } from './format.js';
export { safetensorsDiagnostics } from './diagnostics.js';
