export { runBaseline, type Baseline } from './baseline.js';
export {
  compareWithExpected,
  compareWithModel,
  type Comparison,
  type ComparisonOptions,
  type JudgeOptions,
} from './compare.js';
export type { Shares } from './contributions.js';
export type { BodyCoverage, Coverage, TableCoverage } from './coverage.js';
export { parityDiagnostics } from './diagnostics.js';
export { errorOf, type ErrorSize } from './error-size.js';
export { inputSpecs, withRanges, type Bounds, type InputSpec } from './input-spec.js';
export { makeInputs, type InputOptions } from './inputs.js';
export { judge, type Evidence, type Judgement, type OutputJudgement } from './judge.js';
export { matchArrays, type MatchedArrays } from './match-arrays.js';
export { measure, type Metrics, type WorstElement } from './metrics.js';
export { sampleRounding, type Errors, type Sample, type Tie } from './monte-carlo.js';
export { consultOracle, type ExpectedError, type Oracle } from './oracle.js';
export { pairValues, type Pair, type Pairable, type PairedBy } from './pairing.js';
export { Xoshiro128 } from './random.js';
export { Reach, type Body, type DeadUnits } from './reach.js';
export { rules, type Rules } from './rules.js';
export { defaultSeeds, type BaselineOptions, type BaselineRun } from './runs.js';
export { sizings, type Sizes } from './sizes.js';
export { storageStep, type StorageStep } from './storage-step.js';
export type { Verdict } from './verdict.js';
