export { decodeBundle, shardPaths, type Bundle, type BundleTensor } from './decode-bundle.js';
export { encodeBundle, isWritableName, type WritableTensor } from './encode-bundle.js';
export { elementTypeOf, isQuantised, typeNumberOf } from './element-type.js';
export { latestPrefix } from './checkpoint-state.js';
export { decodeObjectGraph, objectGraphKey } from './object-graph.js';
export type { ObjectGraph, TrackedObject } from './messages.js';
export type { TableEntry, TableLimits } from './table/block.js';
export { Table } from './table/read-table.js';
export { writeTable } from './table/write-table.js';
