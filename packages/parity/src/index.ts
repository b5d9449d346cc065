export { runBaseline, type Baseline, type BaselineOptions } from './baseline.js';
export {
  compareWithExpected,
  compareWithModel,
  type Comparison,
  type ComparisonOptions,
} from './compare.js';
export { parityDiagnostics } from './diagnostics.js';
export { inputSpecs, type InputSpec } from './input-spec.js';
export { makeInputs, type InputOptions } from './inputs.js';
export {
  judge,
  rules,
  type Evidence,
  type Judgement,
  type OutputJudgement,
  type Rules,
  type Verdict,
} from './judge.js';
export { loadModel, type ModelInRuntime } from './load-model.js';
export { matchArrays, type MatchedArrays } from './match-arrays.js';
export { measure, type Metrics, type WorstElement } from './metrics.js';
export { consultOracle, type Oracle } from './oracle.js';
export { Xoshiro128 } from './random.js';
export { coarser, precisionOf, ulpAt, ulpDistance, type Precision } from './ulp.js';
