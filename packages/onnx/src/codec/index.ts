export type { Int64, Message, WireDetail } from '@drover/protobuf';
export {
  AttributeType,
  DataLocation,
  DataType,
  OperatorStatus,
  OptionalProto_DataType,
  SequenceProto_DataType,
  Version,
  type AttributeProto,
  type DeviceConfigurationProto,
  type FunctionProto,
  type GraphProto,
  type IntIntListEntryProto,
  type MapProto,
  type Messages,
  type ModelProto,
  type NodeDeviceConfigurationProto,
  type NodeProto,
  type OperatorSetIdProto,
  type OptionalProto,
  type SequenceProto,
  type ShardedDimProto,
  type ShardingSpecProto,
  type SimpleShardedDimProto,
  type SparseTensorProto,
  type StringStringEntryProto,
  type TensorAnnotation,
  type TensorProto,
  type TensorProto_Segment,
  type TensorShapeProto,
  type TensorShapeProto_Dimension,
  type TrainingInfoProto,
  type TypeProto,
  type TypeProto_Map,
  type TypeProto_Opaque,
  type TypeProto_Optional,
  type TypeProto_Sequence,
  type TypeProto_SparseTensor,
  type TypeProto_Tensor,
  type ValueInfoProto,
} from '../schema/onnx.js';
export { defaultLimits, type Limits } from './limits.js';
export { isModel } from './detect.js';
export { decodeMessage, decodeModel } from './decode.js';
export { encodedSize, encodeMessage, encodeModel } from './encode.js';
export { dataTypeOf, dtypeOf } from './data-type.js';
export { externalFiles } from './external-files.js';
export { moveToExternalData, type ExternalData } from './external-data.js';
export {
  tensorProto,
  TensorReader,
  type NumericContent,
  type StringContent,
  type TensorContent,
  type TensorReaderOptions,
} from './tensor-content.js';
export { tensorsOf } from './tensors-of.js';
