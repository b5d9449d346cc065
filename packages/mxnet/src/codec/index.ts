export type { GraphAttr, SymbolEntry, SymbolGraph, SymbolNode } from './symbol.js';
export { versionOf, writtenVersion } from './symbol.js';
export {
  decodeSymbol,
  readSymbol,
  type DecodedSymbol,
  type SymbolLimits,
} from './decode-symbol.js';
export { encodeSymbol } from './encode-symbol.js';
export { typeFlagOf, typeFlags, type MxnetDType } from './type-flag.js';
export {
  decodeParams,
  isParams,
  type NdArrayRecord,
  type ParamsFile,
  type ParamsLimits,
  type SparseStorage,
  type Storage,
  type StoredPart,
} from './decode-params.js';
export { encodeParams, type WritableArray } from './encode-params.js';
export { paramsAmong, paramsPath } from './params-path.js';
