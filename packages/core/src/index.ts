// Errors and findings.
export {
  ConversionError,
  DroverError,
  type Diagnostic,
  type DiagnosticCatalogue,
  type DiagnosticKind,
  type DiagnosticOrigin,
  type Failure,
  type Finding,
  type Severity,
} from './diagnostics/diagnostic.js';
export { coreDiagnostics } from './diagnostics/core-diagnostics.js';
export { Report } from './diagnostics/report.js';

// Files and bytes.
export type { ByteRange } from './bytes/byte-range.js';
export type { ByteSource } from './bytes/byte-source.js';
export { ByteHandle } from './bytes/byte-handle.js';
export type { Extent } from './bytes/extent.js';
export type { Source } from './format/source.js';
export type { Sink, SinkFile } from './format/sink.js';
export { MemorySink, memorySource } from './format/memory.js';
export { openUrl, type UrlOptions } from './format/url-source.js';

// Reading, writing and converting.
export type { Format, FormatAbout } from './format/format.js';
export {
  detectFormat,
  openCheckpoint,
  openModel,
  isModel,
  openContent,
  type OpenOptions,
} from './format/open.js';
export {
  planModel,
  writeCheckpoint,
  writeModel,
  type WriteReport,
  type WriteRequest,
  type WrittenMaps,
} from './format/write.js';
export { convert, type Conversion, type ConversionReport } from './format/convert.js';
export type { TensorMapping } from './format/tensor-map.js';
export type { ValueMapping } from './format/value-map.js';

// Models and checkpoints.
export { Model, type ModelFields } from './model/model.js';
export type { Checkpoint } from './model/checkpoint.js';
export {
  TensorStore,
  type StoredTensor,
  type StoreOptions,
  type Structure,
  type StructureKey,
  type TensorRole,
} from './model/tensor-store.js';

// Element types, dimensions, tensors and weights.
export { bitsOf, bytesOf, dtypes, intRange, isFloat, isInt, type DType } from './tensor/dtype.js';
export {
  addDim,
  ceilDivDim,
  evaluateDim,
  floorDivDim,
  isStatic,
  maxDim,
  minDim,
  modDim,
  mulDim,
  productOf,
  sameDim,
  sameShape,
  subDim,
  substituteDim,
  symbol,
  SymbolicDim,
  symbolsOf,
  type Dim,
  type Factor,
  type Shape,
  type Term,
} from './tensor/dim.js';
export { parseDim } from './tensor/parse-dim.js';
export type { ValueType } from './tensor/value-type.js';
export {
  decodeTensor,
  encodeTensor,
  sizeOf,
  tensor,
  toNumbers,
  type Elements,
  type Tensor,
} from './tensor/tensor.js';
export { castTensor } from './tensor/cast-tensor.js';
export { Weight, type WeightContent } from './tensor/weight.js';
export {
  invertTransform,
  sourcesOf,
  type InvertedTransform,
  type TensorSource,
  type TensorStep,
  type TensorTransform,
} from './tensor/tensor-transform.js';
export type { WeightStep } from './tensor/weight-step.js';

// Graphs.
export { Graph, type NodeOptions, type Output } from './graph/graph.js';
export { Node, type Region } from './graph/node.js';
export { Value } from './graph/value.js';
export { cloneGraph } from './graph/clone.js';
export { verify } from './graph/verify.js';
export { namedWeights, printGraph } from './graph/text.js';
export { parseGraph } from './graph/parse-text.js';
export {
  nameOf,
  type NodeOrigin,
  type PathStep,
  type Relation,
  type ValueOrigin,
  type View,
} from './graph/origin.js';
export { ops, type OpName } from './ops/ops.js';
export type {
  Arity,
  GivenOperands,
  Op,
  Operand,
  Operands,
  PerOperand,
  RegionName,
} from './ops/define-op.js';
export type { Attr, Attrs, AttrValues, Json, ResolvedAttrs } from './ops/attr.js';
export type { Reduction } from './typing/scatter-update.js';

// Evaluating and running.
export { evaluate } from './evaluate/evaluate.js';
export { Evaluator, type EvaluatorOptions } from './evaluate/evaluator.js';
export { bindInputs, type GraphInputs } from './evaluate/bind-inputs.js';
export type { PathEntry, Step } from './evaluate/step.js';
export { readModel, type ModelFiles, type OpenedModel } from './runtime/opened-model.js';
export { runsFormat, type LoadedModel, type Runtime, type Signature } from './runtime/runtime.js';
export { runtimeDiagnostics } from './runtime/runtime-diagnostics.js';
