export { makeInputs, type InputOptions, type InputSpec } from './inputs.js';
export {
  judge,
  rules,
  type Evidence,
  type Judgement,
  type OutputJudgement,
  type Rules,
  type Verdict,
} from './judge.js';
export { measure, type Metrics, type WorstElement } from './metrics.js';
export { Xoshiro128 } from './random.js';
export { coarser, precisionOf, ulpAt, ulpDistance, type Precision } from './ulp.js';
