export { graphdefDiagnostics } from './diagnostics.js';
export { importGraph, type GraphSource } from './import/import-graph.js';
export { exportGraph, type ExportedGraph, type ExportTarget } from './export/export-graph.js';
export { heldBy } from './export/tell-types.js';
export { keeps } from './rules.js';
export { coverage } from './coverage.js';
