export type {
  ArgDef,
  AttrList,
  AttrValue,
  ByteString,
  FunctionDef,
  GradientDef,
  GraphDef,
  Int64,
  NameAttrList,
  NodeDef,
  OpDef,
  SignatureDef,
  TensorField,
  TensorInfo,
  TensorProto,
  TensorShape,
  TensorValues,
  VersionDef,
} from './graph-def.js';
export { tensorFields } from './graph-def.js';
export {
  dataTypeNames,
  dataTypeOf,
  dataTypeOfNumber,
  dtypeOf,
  type DataType,
} from './data-type.js';
export { decodeGraphDef, decodeSignature, encodeGraphDef, encodeSignature } from './json-graph.js';
export type { JsonMembers } from './json-attr.js';
export { encodeBytes } from './json-scalar.js';
export { attrOf, parseInput, type InputRef } from './operator.js';
