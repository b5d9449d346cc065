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
export * from './tensor/cast-tensor.js';
export { convertElements, type WeightStep } from './tensor/weight-step.js';
export * from './tensor/weight.js';
export * from './tensor/parse-dim.js';
export type { Attr, Attrs, AttrValues, Json, ResolvedAttrs } from './ops/attr.js';
export type * from './ops/define-op.js';
export * from './graph/value.js';
export * from './graph/node.js';
export * from './graph/graph.js';
export * from './graph/model.js';
export * from './graph/evaluate.js';
export * from './graph/verify.js';
export { namedWeights, printGraph } from './graph/text.js';
export { parseGraph } from './graph/parse-text.js';
export * from './passes/define-pass.js';
export * from './format/format.js';
export * from './format/convert.js';
export * from './ops/ops.js';
export * from './graph/clone.js';
export * from './graph/inline.js';
export * from './graph/dim-sources.js';
export { loopTrips, neverEnds, readsCondition } from './graph/loop-trips.js';
export * from './passes/resolve-shapes.js';
export * from './passes/fold-constants.js';
export * from './passes/layout/assign-layout.js';
export { inverse, movesNothing, permutationTo, permuted } from './passes/layout/permutation.js';
export * from './format/rule.js';
export {
  channelAxis,
  samePadding,
  spatialOf,
  windowCounts,
  type Layout,
  type Padding,
} from './kernels/window.js';
export * from './format/prepare.js';
export type { Reduction } from './kernels/scatter-update.js';
export { settleCarried } from './graph/settle-carried.js';
export { buildRegionSamples, buildSize, type SampledAxis } from './kernels/build-region-samples.js';
export { foreignTypes } from './ops/foreign.js';
export { scaledSizes } from './ops/resize.js';
export * from './passes/simplify-movement.js';
export { sliceEnd } from './ops/slice.js';
export * from './analysis/integer-range.js';
export { intervalOf, isWithin, meet, type Interval } from './tensor/interval.js';
export { fitIntegers } from './passes/fit-integers.js';
