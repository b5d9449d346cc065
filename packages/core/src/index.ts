export * from './diagnostics/diagnostic.js';
export * from './diagnostics/core-diagnostics.js';
export * from './diagnostics/report.js';
export * from './bytes/byte-range.js';
export type { ByteSource } from './bytes/byte-source.js';
export { allocateBytes } from './bytes/allocate-bytes.js';
export { ByteHandle, type ByteCheck, type ByteEncoding } from './bytes/byte-handle.js';
export { inMultiples } from './bytes/pieces.js';
export * from './format/source.js';
export * from './format/sink.js';
export * from './format/memory.js';
export * from './format/json.js';
export * from './tensor/dtype.js';
export * from './tensor/tensor.js';
export * from './tensor/float-bits.js';
export * from './tensor/dim.js';
export type { ValueType } from './tensor/value-type.js';
export * from './tensor/cast-tensor.js';
export { convertElements, type WeightStep } from './tensor/weight-step.js';
export * from './tensor/weight.js';
export {
  invertTransform,
  sourcesOf,
  type InvertedTransform,
  type TensorSource,
  type TensorStep,
  type TensorTransform,
} from './tensor/tensor-transform.js';
export * from './tensor/parse-dim.js';
export type { Attr, Attrs, AttrValues, Json, ResolvedAttrs } from './ops/attr.js';
export type * from './ops/define-op.js';
export * from './graph/value.js';
export * from './graph/node.js';
export * from './graph/graph.js';
export { Model, type ModelFields } from './model/model.js';
export type { Checkpoint } from './model/checkpoint.js';
export {
  TensorStore,
  type StoredTensor,
  type StoreOptions,
  type Structure,
  type TensorRole,
} from './model/tensor-store.js';
export { storeOf, type FileTensor } from './model/store-of.js';
export { tally } from './model/tally.js';
export { evaluate } from './evaluate/evaluate.js';
export { Evaluator, type EvaluatorOptions } from './evaluate/evaluator.js';
export { bindInputs, type GraphInputs } from './evaluate/bind-inputs.js';
export type { PathEntry, Step } from './evaluate/step.js';
export { fitInputs } from './runtime/fit-inputs.js';
export { readModel, type ModelFiles, type OpenedModel } from './runtime/opened-model.js';
export { referenceModel, signatureOf } from './runtime/reference-model.js';
export { runsFormat, type LoadedModel, type Runtime, type Signature } from './runtime/runtime.js';
export { runtimeDiagnostics } from './runtime/runtime-diagnostics.js';
export * from './graph/verify.js';
export { namedWeights, printGraph } from './graph/text.js';
export { parseGraph } from './graph/parse-text.js';
export * from './passes/define-pass.js';
export * from './format/format.js';
export * from './format/convert.js';
export type { Coverage } from './format/coverage.js';
export * from './format/open.js';
export {
  planModel,
  writeModel,
  type WriteReport,
  type WriteRequest,
  type WrittenMaps,
} from './format/write.js';
export * from './format/option.js';
export { tellTensor, type TensorMapping } from './format/tensor-map.js';
export type { ValueMapping } from './format/value-map.js';
export * from './ops/ops.js';
export * from './graph/clone.js';
export * from './graph/inline.js';
export * from './graph/dim-sources.js';
export { loopTrips, neverEnds, readsCondition } from './graph/loop-trips.js';
export * from './passes/resolve-shapes.js';
export * from './passes/fold-constants.js';
export * from './passes/layout/assign-layout.js';
export { inverse, movesNothing, permutationTo, permuted } from './typing/permutation.js';
export * from './export/rule.js';
export {
  channelAxis,
  samePadding,
  spatialOf,
  windowCounts,
  type Layout,
  type Padding,
} from './typing/window.js';
export { preparation, prepare, type TargetNeeds } from './export/prepare.js';
export { gapFinding, writeNodes, type NodeWriter } from './export/write-nodes.js';
export { writtenOutputs, type WrittenOutput } from './export/written-outputs.js';
export { UniqueNames } from './export/unique-names.js';
export { ImportedNode } from './import/imported-node.js';
export { importNode, type ImportedParts } from './import/import-node.js';
export * from './graph/origin.js';
export type { Reduction } from './typing/scatter-update.js';
export { settleCarried } from './graph/settle-carried.js';
export { buildRegionSamples, buildSize, type SampledAxis } from './building/region-samples.js';
export { foreignTypes } from './ops/foreign.js';
export { scaledSizes } from './ops/resize.js';
export * from './passes/simplify-movement.js';
export { sliceEnd } from './ops/slice.js';
export * from './analysis/integer-range.js';
export { intervalOf, isWithin, meet, type Interval } from './tensor/interval.js';
export { fitIntegers } from './passes/fit-integers.js';
