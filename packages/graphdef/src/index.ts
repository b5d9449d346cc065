export * from './diagnostics.js';
export type {
  AttrDefault,
  RegisteredArg,
  RegisteredAttr,
  RegisteredOp,
  RegisteredShape,
} from './schema/registered-op.js';
export * from './codec/data-type.js';
export * from './codec/graph-def.js';
export {
  decodeAttr,
  decodeAttrs,
  decodeShape,
  decodeTensorProto,
  encodeAttr,
  encodeAttrs,
  encodeShape,
  encodeTensorProto,
} from './codec/json-attr.js';
export type { JsonMembers } from './codec/json-attr.js';
export * from './codec/json-graph.js';
export * from './codec/operator.js';
export { importGraph, type GraphSource } from './import/import-graph.js';
export { exportGraph, type ExportedGraph, type ExportTarget } from './export/export-graph.js';
export { heldBy } from './export/tell-types.js';
export { keeps, readRules, structural, writeRules } from './rules.js';
