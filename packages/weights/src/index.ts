export { applyToCheckpoint, applyToModel, type Application } from './apply.js';
export { extractWeights, type Extraction } from './extract.js';
export { applyMap, type MapApplication } from './tensor-map.js';
export { editStore, type StoreEdit } from './edit-store.js';
export { parseRules, renamed, type Rules } from './rules.js';
export { isNamedBy } from './name-pattern.js';
export type { Hints } from './match-as-exported.js';
export type { Allowed } from './report-pairing.js';
export { weightsDiagnostics } from './diagnostics.js';
