import { isFloat, toNumbers, type Tensor } from '@drover/core';
import { measure, type Metrics } from './metrics.js';
import { coarser, precisionOf, ulpAt, type Precision } from './ulp.js';

/**
 * Whether two models compute the same. `undecided` when the outputs could not have told a broken
 * conversion from a sound one.
 */
export type Verdict = 'agree' | 'differ' | 'undecided';

/** What there is to judge by. Tensors go by the name of the output. */
export interface Evidence {
  /** What the source model's own runtime gave, or the framework itself (a golden). */
  readonly source?: ReadonlyMap<string, Tensor>;
  /** What the target model gave. */
  readonly target: ReadonlyMap<string, Tensor>;
  /** What the reference evaluator gave, in float64: the truth that both are measured against. */
  readonly oracle?: ReadonlyMap<string, Tensor>;
  /**
   * What the operators up to an output may lose, in ULP of the output's largest magnitude; an
   * output that is not named has none to lose.
   */
  readonly allowanceUlp?: ReadonlyMap<string, number>;
}

/** The rules of the verdict. */
export interface Rules {
  /** How many times the source runtime's own error the target's may be. */
  readonly multiple: number;
  /**
   * Without an oracle and without an allowance: how far source and target may be apart, in ULP of
   * the largest magnitude.
   */
  readonly fallbackUlp: number;
  /** A tolerance above this share of the output's range proves nothing: the output is undecided. */
  readonly maxToleranceOfRange: number;
  /**
   * Fixed tolerances in place of all of the above: an element may be off by
   * `atol + rtol·|expected|`.
   */
  readonly fixed?: { readonly rtol: number; readonly atol: number };
}

/** The rules unless the caller says otherwise. */
export const rules: Rules = { multiple: 4, fallbackUlp: 1024, maxToleranceOfRange: 1 / 16 };

/** The judgement of one output. */
export interface OutputJudgement {
  readonly name: string;
  readonly verdict: Verdict;
  readonly agree: boolean;
  /** Why, unless it agrees. */
  readonly reason: string | null;
  /**
   * Largest difference that would still agree, as an absolute number; null when nothing was
   * compared. Integers, bool and text must be equal.
   */
  readonly tolerance: number | null;
  /** The source runtime's own largest error against the oracle; null without one of both. */
  readonly sourceError: number | null;
  /** Share of elements outside the tolerance. */
  readonly fractionOutside: number | null;
  readonly maxAbs: number | null;
  readonly maxRel: number | null;
  readonly maxUlp: number | null;
  /** The target against the oracle, or against the source where there is no oracle. */
  readonly metrics: Metrics | null;
}

/** The judgement of a run. */
export interface Judgement {
  /** `differ` when one output differs, else `undecided` when one is, else `agree`. */
  readonly verdict: Verdict;
  readonly outputs: readonly OutputJudgement[];
}

/**
 * Judges every output of a run: `names` are those that the source model declares, in order.
 *
 * With an oracle, the target's error against it may be `multiple` times the source runtime's own
 * error plus the operators' allowance. Without one, source and target may each use the allowance
 * up; without an allowance either, they may be `fallbackUlp` apart. Integers, bool and text must be
 * equal to the source or to the oracle. NaN and infinities must stand where the source has them. An
 * output never agrees by default: one that is missing, of another shape or kind differs; one that
 * is empty, constant, or smaller in range than the tolerance can discern is undecided, and so is
 * one for which the source's own runtime and the oracle are further apart than the allowance and
 * `fallbackUlp` explain: then one of them is not what the source is.
 */
export function judge(
  names: readonly string[],
  evidence: Evidence,
  options: Partial<Rules> = {},
): Judgement {
  const effective = { ...rules, ...options };
  const outputs = names.map((name) => judgeOutput(name, evidence, effective));
  for (const name of evidence.target.keys())
    if (!names.includes(name))
      outputs.push(unmeasured(name, 'differ', 'the source model has no such output'));
  const some = (verdict: Verdict) => outputs.some((output) => output.verdict === verdict);
  return {
    verdict: some('differ')
      ? 'differ'
      : some('undecided') || outputs.length === 0
        ? 'undecided'
        : 'agree',
    outputs,
  };
}

function unmeasured(name: string, verdict: Verdict, reason: string): OutputJudgement {
  const none = {
    tolerance: null,
    sourceError: null,
    fractionOutside: null,
    maxAbs: null,
    maxRel: null,
    maxUlp: null,
    metrics: null,
  };
  return { name, verdict, agree: false, reason, ...none };
}

function judgeOutput(name: string, evidence: Evidence, rules: Rules): OutputJudgement {
  const target = evidence.target.get(name);
  const source = evidence.source?.get(name);
  const oracle = evidence.oracle?.get(name);
  const reference = oracle ?? source;
  if (reference === undefined)
    return unmeasured(name, 'undecided', 'there is nothing to compare it with');
  if (target === undefined) return unmeasured(name, 'differ', 'the target does not give it');
  for (const other of [source, oracle]) {
    if (other && other.shape.join() !== target.shape.join()) {
      return unmeasured(
        name,
        'differ',
        `its shape is [${target.shape.join(', ')}] and not [${other.shape.join(', ')}]`,
      );
    }
    if (other && kindOf(other) !== kindOf(target))
      return unmeasured(name, 'differ', `its type is ${target.dtype} and not ${other.dtype}`);
  }
  const continuous = [target, source ?? reference].every(isContinuous);
  return continuous
    ? judgeNumbers(name, target, source, oracle, evidence.allowanceUlp?.get(name), rules)
    : judgeExact(name, target, source, oracle);
}

/**
 * A type may be narrowed or, in a framework that computes in floats only, become a float: the
 * values decide. Text and complex numbers stay what they are.
 */
function kindOf({ dtype }: Tensor): 'text' | 'complex' | 'number' {
  return dtype === 'string' ? 'text' : dtype.startsWith('complex') ? 'complex' : 'number';
}

function isContinuous({ dtype }: Tensor): boolean {
  return isFloat(dtype) || dtype.startsWith('complex');
}

function finish(
  name: string,
  metrics: Metrics,
  tolerance: number,
  outside: number,
  sourceError: number | null,
  undecided: string | null,
  differs: string | null,
): OutputJudgement {
  const verdict: Verdict = differs !== null ? 'differ' : undecided !== null ? 'undecided' : 'agree';
  const { maxAbs, maxRel, maxUlp } = metrics;
  const fractionOutside = metrics.count > 0 ? outside / metrics.count : null;
  return {
    name,
    verdict,
    agree: verdict === 'agree',
    reason: differs ?? undecided,
    tolerance,
    sourceError,
    fractionOutside,
    maxAbs,
    maxRel,
    maxUlp,
    metrics,
  };
}

function judgeExact(
  name: string,
  target: Tensor,
  source: Tensor | undefined,
  oracle: Tensor | undefined,
): OutputJudgement {
  const reference = (oracle ?? source)!;
  const equal = (other: Tensor | undefined, i: number) =>
    other !== undefined && sameElement(other.data[i]!, target.data[i]!);
  let outside = 0;
  for (let i = 0; i < target.data.length; i++)
    if (!equal(source, i) && !equal(oracle, i)) outside++;
  const values: ArrayLike<unknown> = reference.data;
  const constant = values.length > 1 && Array.from(values).every((value) => value === values[0]);
  const undecided =
    values.length === 0
      ? 'it is empty'
      : constant
        ? `every element is ${String(values[0])}, whatever the model does`
        : null;
  return finish(
    name,
    measure(target, reference),
    0,
    outside,
    null,
    undecided,
    outside > 0 ? `${outside} of ${target.data.length} elements are not equal` : null,
  );
}

/** Equal as numbers whatever their types; bool is 0 and 1. */
function sameElement(a: number | bigint | string, b: number | bigint | string): boolean {
  return a === b || (typeof a !== 'string' && typeof b !== 'string' && a == b);
}

function judgeNumbers(
  name: string,
  target: Tensor,
  source: Tensor | undefined,
  oracle: Tensor | undefined,
  allowance: number | undefined,
  rules: Rules,
): OutputJudgement {
  const reference = (oracle ?? source)!;
  const [t, r] = [toNumbers(target), toNumbers(reference)];
  // The target has to do what the source does, and that may overflow where float64 does not.
  const s = toNumbers(source ?? reference);
  const precision = precisionFor(target, source);
  let [mismatches, untold, scale, low, high, sourceError] = [0, 0, 0, Infinity, -Infinity, 0];
  for (let i = 0; i < r.length; i++) {
    if (!Number.isFinite(s[i]!) || !Number.isFinite(t[i]!)) {
      if (!Object.is(s[i], t[i])) mismatches++;
    } else if (Number.isFinite(r[i]!)) {
      scale = Math.max(scale, Math.abs(r[i]!));
      low = Math.min(low, r[i]!);
      high = Math.max(high, r[i]!);
      sourceError = Math.max(sourceError, Math.abs(s[i]! - r[i]!));
    } else untold++;
  }
  const measured = source !== undefined && oracle !== undefined;
  const ulp = ulpAt(scale, precision);
  const tolerance = toleranceFor({
    measured,
    hasOracle: oracle !== undefined,
    sourceError,
    ulp,
    scale,
    allowance,
    rules,
  });
  // A model that was read wrongly is wrong in the oracle as well as in the target: only the
  // source's own runtime contradicts.
  const doubt =
    measured && !rules.fixed && sourceError > Math.max(allowance ?? 0, rules.fallbackUlp) * ulp;
  let outside = mismatches;
  for (let i = 0; i < r.length; i++) {
    if (!Number.isFinite(s[i]!) || !Number.isFinite(t[i]!) || !Number.isFinite(r[i]!)) continue;
    const limit = rules.fixed ? rules.fixed.atol + rules.fixed.rtol * Math.abs(r[i]!) : tolerance;
    if (Math.abs(t[i]! - r[i]!) > limit) outside++;
  }
  const metrics = measure(target, reference);
  const differs =
    mismatches > 0
      ? `${mismatches} elements are NaN or infinite in one of the models only`
      : outside > 0
        ? `${outside} of ${r.length} elements are off by more than ${tolerance.toExponential(2)}`
        : null;
  const undecided =
    untold > 0
      ? `the oracle is not finite for ${untold} elements where both models are`
      : (vacuity(r.length, low, high, tolerance, rules) ??
        (doubt
          ? `the source's own runtime is off the oracle by ${sourceError.toExponential(2)}: the model was misread, or loses that much in its own arithmetic`
          : null));
  return finish(
    name,
    metrics,
    tolerance,
    outside,
    measured ? sourceError : null,
    undecided,
    differs,
  );
}

/**
 * ULP count in the coarser type of both runs: what is stored in float32 cannot be closer than
 * float32 is.
 */
function precisionFor(target: Tensor, source: Tensor | undefined): Precision {
  const [left, right] = [target, source ?? target].map(({ dtype }) =>
    precisionOf(dtype === 'complex64' ? 'float32' : dtype === 'complex128' ? 'float64' : dtype),
  );
  return left && right ? coarser(left, right) : (left ?? right ?? 'float32');
}

interface ToleranceFacts {
  readonly measured: boolean;
  readonly hasOracle: boolean;
  readonly sourceError: number;
  /** Spacing at the largest magnitude. */
  readonly ulp: number;
  readonly scale: number;
  readonly allowance: number | undefined;
  readonly rules: Rules;
}

function toleranceFor({
  measured,
  hasOracle,
  sourceError,
  ulp,
  scale,
  allowance,
  rules,
}: ToleranceFacts): number {
  if (rules.fixed) return rules.fixed.atol + rules.fixed.rtol * scale;
  if (measured) return rules.multiple * sourceError + (allowance ?? 0) * ulp;
  if (allowance === undefined) return rules.fallbackUlp * ulp;
  return (hasOracle ? 1 : 2) * allowance * ulp;
}

/** Why agreement would prove nothing, if so. */
function vacuity(
  count: number,
  low: number,
  high: number,
  tolerance: number,
  { maxToleranceOfRange }: Rules,
): string | null {
  if (count === 0) return 'it is empty';
  if (low > high) return 'no element is finite';
  if (low === 0 && high === 0) return 'every element is zero';
  if (count > 1 && low === high) return `every element is ${low}, whatever the model does`;
  // A single number has no spread: its distance from zero has to do.
  const range = count > 1 ? high - low : Math.abs(low);
  if (tolerance > maxToleranceOfRange * range) {
    return `the tolerance ${tolerance.toExponential(2)} is too large for an output of range ${range.toExponential(2)}`;
  }
  return null;
}
