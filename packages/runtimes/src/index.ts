export { runtimeDiagnostics } from './diagnostics.js';
export { fitInputs } from './fit-inputs.js';
export type { LoadedModel, Runtime, Signature } from './runtime.js';
export { reference, referenceModel, type ReferenceModel } from './reference.js';
