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
  TensorInfo,
  TensorProto,
  TensorShape,
  TensorValues,
  VersionDef,
} from './graph-def.js';
export { dtypeOf, type DataType } from './data-type.js';
export {
  decodeGraphDef,
  decodeSignature,
  encodeGraphDef,
  encodeSignature,
} from './json-graph.js';
export { attrOf, parseInput, type InputRef } from './operator.js';
