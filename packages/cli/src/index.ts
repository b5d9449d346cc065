export { cliDiagnostics } from './diagnostics.js';
export { documents } from './documents.js';
export { exitCodes } from './exit-code.js';
export { main } from './main.js';
