export { applyToCheckpoint, applyToModel, type Application } from './apply.js';
export { extractWeights, type Extraction } from './extract.js';
export { isNamedBy } from './name-pattern.js';
export type { Allowed } from './report-pairing.js';
export { weightsDiagnostics } from './diagnostics.js';
