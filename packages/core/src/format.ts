// What authors of formats, passes and runtimes need beside the front entry.

// The contract.
export {
  isNamed,
  type CheckpointCapability,
  type Content,
  type FileNames,
  type ModelCapability,
  type ReadContext,
  type WriteContext,
} from './format/format.js';
export type { Coverage } from './format/coverage.js';
export { defineDiagnostics } from './diagnostics/diagnostic.js';
export { listed } from './diagnostics/listed.js';

// Bytes and text.
export { allocateBytes } from './bytes/allocate-bytes.js';
export { bigEndian } from './bytes/big-endian.js';
export { checkRange } from './bytes/byte-range.js';
export type { ByteCheck, ByteEncoding } from './bytes/byte-handle.js';
export { Crc, crc32Code, crc32cCode, type CrcCode } from './bytes/crc.js';
export { inMultiples } from './bytes/pieces.js';
export { checkPath } from './format/memory.js';
export { JsonCursor, parseJson, readJson, type JsonLimits, type JsonValue } from './format/json.js';
export { roleOfType } from './model/role-of-type.js';
export { storeOf, type FileTensor } from './model/store-of.js';
export { tally } from './model/tally.js';

// Elements, dimensions and bounds.
export { complexTypes, floatTypes } from './tensor/dtype.js';
export { holdsEvery } from './tensor/holds-every.js';
export { asStored, decodeStrings, encodeStrings, roundTo } from './tensor/tensor.js';
export { encodeSmallFloat } from './tensor/float-bits.js';
export { convertElements } from './tensor/weight-step.js';
export {
  bounds,
  dimKey,
  exactQuotient,
  foldDim,
  symbolName,
  type DimAlgebra,
} from './tensor/dim.js';
export { dimName } from './tensor/parse-dim.js';
export { intervalOf, isWithin, meet, type Interval } from './tensor/interval.js';

// Operators.
export type { Constraint, EvaluateContext, Example, InferContext } from './ops/define-op.js';
export type { LayoutChange, LayoutRule, LayoutSituation } from './ops/layout.js';
export { inverse, permutationTo } from './typing/permutation.js';
export {
  channelAxis,
  samePadding,
  spatialOf,
  windowCounts,
  type Layout,
  type Padding,
  type Sliding,
} from './typing/window.js';
export { freshDim } from './graph/infer.js';
export { isDataDependent } from './graph/graph.js';
export { dimSources, type DimSource } from './graph/dim-sources.js';
export { inlineGraph } from './graph/inline.js';
export { loopTrips, neverEnds, readsCondition } from './graph/loop-trips.js';
export { resultOf, valueOf } from './graph/origin.js';
export { buildRegionSamples, buildSize, type SampledAxis } from './building/region-samples.js';

// Reading.
export { importNode, type ImportedParts } from './import/import-node.js';
export { ImportedNode } from './import/imported-node.js';
export { reportWrongDeclarations } from './import/wrong-declarations.js';

// Writing.
export {
  gap,
  notYet,
  toldInside,
  writeTable,
  type Gap,
  type WriteRule,
  type WriteRules,
  type WriteTable,
} from './export/rule.js';
export { composed, preparation, prepare, type TargetNeeds } from './export/prepare.js';
export { contentOf, reportEntriesLeft } from './format/open.js';
export { flatTensors, type NamedTensor } from './format/flat-tensors.js';
export { reportStructure } from './format/report-structure.js';
export { tellTensor } from './format/tensor-map.js';
export { usualName, writtenContent } from './format/written-content.js';
export type { UnrollLimits } from './passes/unroll-loops.js';
export { writeNodes, type NodeWriter } from './export/write-nodes.js';
export { writtenOutputs, type WrittenOutput } from './export/written-outputs.js';
export { UniqueNames } from './export/unique-names.js';

// Passes and what they find.
export { definePass, runPass, type Kept, type Pass, type PassRun } from './passes/define-pass.js';
export { assignLayout, imageInputs } from './passes/layout/assign-layout.js';
export { fitIntegers, type HeldIntegers } from './passes/fit-integers.js';
export { foldConstants, type FoldLimits } from './passes/fold-constants.js';
export { resolveShapes } from './passes/resolve-shapes.js';
export { simplifyMovement } from './passes/simplify-movement.js';
export { integerRanges, type IntegerRanges, type ValueRange } from './analysis/integer-range.js';

// Running.
export { fitInputs, fitsShape } from './runtime/fit-inputs.js';
export { referenceModel, signatureOf } from './runtime/reference-model.js';
export {
  exact,
  ofElement,
  ofOne,
  ofTerms,
  roundingConfidence,
  type Rounding,
  type RoundingScale,
} from './ops/rounding.js';
export { roundingAllowance } from './ops/rounding-allowance.js';
export {
  coarser,
  epsilonOf,
  precisionOf,
  ulpAt,
  ulpDistance,
  type Precision,
} from './numeric/ulp.js';
export { suitsSizes, withSizes } from './graph/with-sizes.js';
