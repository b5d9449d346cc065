import { toNumbers, type Tensor } from '@drover/core';
import { coarser, epsilonOf, precisionOf, ulpAt, type Precision } from '@drover/core/format';
import { errorOf, rootMeanSquare, type ErrorSize } from './error-size.js';
import type { ExpectedError } from './oracle.js';
import { luck, type Rules } from './rules.js';
import type { Verdict } from './verdict.js';

/** The tensors of an output whose elements are continuous: floats or complex numbers. */
export interface Numbers {
  readonly target: Tensor;
  readonly source: Tensor | undefined;
  /** See Evidence. */
  readonly isSourceExact?: boolean;
  readonly isSourceExpected?: boolean;
  /** The exact one. */
  readonly oracle: Tensor | undefined;
  /** What rounding does to the exact one. */
  readonly expected: ExpectedError | undefined;
  /** See Evidence. */
  readonly between?: ErrorSize | undefined;
}

/** What one run says of an output. */
export interface Finding {
  readonly verdict: Verdict;
  /** Why, unless it agrees. */
  readonly reason: string | null;
  /** Largest error that agrees, and largest that is suspicious. */
  readonly tolerance: ErrorSize;
  readonly bound: ErrorSize;
  /** Errors of target and source against the oracle; null without it, or without a source. */
  readonly error: ErrorSize | null;
  readonly sourceError: ErrorSize | null;
  /** Elements that are off by more than the tolerance. */
  readonly outside: number;
  /** Whether all that stands against it is how far the target is off: then ties may explain it. */
  readonly isByError: boolean;
}

/** The error that an output may have, as a root of the mean square and as a largest element. */
interface Limits {
  readonly agree: ErrorSize;
  readonly bound: ErrorSize;
}

/**
 * Judges an output of floats by one run. The target has to do what the source does, and that may
 * overflow where float64 does not: NaN and infinities must stand where the source has them.
 */
export function judgeNumbers(numbers: Numbers, rules: Rules): Finding {
  const { target, source, oracle } = numbers;
  const truth = (oracle ?? source)!;
  const places = finitePlaces(target, source ?? truth, truth, source && oracle);
  const isMeasured = source && oracle && !numbers.isSourceExact;
  const sourceError = isMeasured ? errorOf(source, oracle) : null;
  const error = errorOf(target, truth);
  const measured = numbers.isSourceExpected ? null : sourceError;
  const { agree, bound } = limitsOf(numbers, measured, rules);
  const judged = { error: oracle ? error : null, sourceError };
  if (rules.fixed) return { ...judged, ...judgeFixed(numbers, places.mismatched, rules.fixed) };
  const outside = places.mismatched + countBeyond(target, truth, agree.max);
  const finding = (verdict: Verdict, reason: string | null, isByError = false): Finding => ({
    ...judged,
    isByError,
    verdict,
    reason,
    tolerance: agree,
    bound,
    outside,
  });
  if (places.contradicted > 0)
    return finding(
      'undecided',
      `the source's own runtime gives no number for ${places.contradicted} elements where the oracle does: the model was misread, or the runtime is wrong`,
    );
  if (places.mismatched > 0)
    return finding(
      'differ',
      `${places.mismatched} elements are NaN or infinite in one of the models only`,
    );
  if (places.untold > 0)
    return finding(
      'undecided',
      `the oracle is not finite for ${places.untold} elements where both models are`,
    );
  // A model that was read wrongly is wrong in the oracle as well as in the target: only the
  // source's own runtime contradicts.
  const doubt = measured && exceeds(measured, expectedLimit(numbers, rules.doubtMultiple));
  if (doubt)
    return finding(
      'undecided',
      `the source's own runtime is off the oracle by ${number(measured.max)}: the model was misread, or loses that much in its own arithmetic`,
    );
  if (numbers.isSourceExpected && sourceError && exceeds(sourceError, agree))
    return finding(
      exceeds(sourceError, bound) ? 'differ' : 'suspicious',
      `what is expected is off the oracle by ${number(sourceError.max)}, and ${number(agree.max)} agrees`,
    );
  if (!exceeds(error, agree)) return finding('agree', null);
  const beyond = exceeds(error, bound);
  const times = measured && measured.rms > 0 ? error.rms / measured.rms : null;
  const own =
    times === null ? '' : `, ${times.toFixed(times < 10 ? 1 : 0)} times the source's own error`;
  const reached =
    error.max > agree.max
      ? `an element is off by ${number(error.max)}, and ${number(agree.max)} agrees`
      : `it is off by ${number(error.rms)} on the whole, and ${number(agree.rms)} agrees`;
  return finding(beyond ? 'differ' : 'suspicious', `${reached}${own}`, true);
}

const number = (value: number) => value.toExponential(1);

const exceeds = (error: ErrorSize, limit: ErrorSize) =>
  error.rms > limit.rms || error.max > limit.max;

/**
 * Elements that are not finite on one side, those that the oracle does not know, and those where it
 * contradicts the source: it is finite, the target as well, and nothing can have overflowed.
 */
function finitePlaces(target: Tensor, source: Tensor, truth: Tensor, hasBoth: unknown) {
  const [t, s, r] = [toNumbers(target), toNumbers(source), toNumbers(truth)];
  let [mismatched, untold, contradicted] = [0, 0, 0];
  for (let i = 0; i < t.length; i++) {
    if (Number.isFinite(s[i]) && Number.isFinite(t[i])) {
      if (!Number.isFinite(r[i])) untold++;
    } else if (!Object.is(s[i], t[i])) {
      mismatched++;
      if (hasBoth && Number.isNaN(s[i]) && Number.isFinite(t[i]) && Number.isFinite(r[i]))
        contradicted++;
    }
  }
  return { mismatched, untold, contradicted };
}

function countBeyond(target: Tensor, truth: Tensor, limit: number): number {
  const [t, r] = [toNumbers(target), toNumbers(truth)];
  let count = 0;
  for (let i = 0; i < t.length; i++) if (Math.abs(t[i]! - r[i]!) > limit) count++;
  return count;
}

/**
 * Errors up to which a target agrees, and up to which it may be. The source's own measured error
 * tells, and what rounding is expected to do where the source has less by luck or has no runtime.
 */
function limitsOf(
  numbers: Numbers,
  sourceError: (ErrorSize & { readonly count: number }) | null,
  rules: Rules,
): Limits {
  const { target, source, oracle } = numbers;
  if (!oracle && source && numbers.between) {
    const limit = scaled(numbers.between, rootMeanSquare(source));
    return { agree: limit, bound: limit };
  }
  if (!oracle || !numbers.expected) {
    const fallback =
      rules.fallbackUlp * ulpAt(largest(oracle ?? source!), precisionFor(target, source));
    const limit = { rms: fallback, max: fallback };
    return { agree: limit, bound: limit };
  }
  const expected = expectedLimit(numbers, rules.expectedMultiple);
  const agree = sourceError
    ? larger(
        scaled(sourceError, rules.multiple),
        smaller(expected, scaled(sourceError, rules.mostMultiple * luck(sourceError.count))),
      )
    : expected;
  return { agree, bound: larger(agree, expectedLimit(numbers, rules.boundMultiple)) };
}

/** So many times the expected error, in the coarser of the types of both sides. */
function expectedLimit({ target, source, oracle, expected }: Numbers, multiple: number): ErrorSize {
  if (!oracle || !expected) return { rms: Infinity, max: Infinity };
  const declared = precisionOf(oracle.dtype);
  const used = precisionFor(target, source);
  const coarseness = declared ? Math.max(epsilonOf(used) / epsilonOf(declared), 1) : 1;
  return scaled(expected, multiple * coarseness * luck(expected.count));
}

const scaled = ({ rms, max }: ErrorSize, by: number): ErrorSize => ({
  rms: rms * by,
  max: max * by,
});

const smaller = (a: ErrorSize, b: ErrorSize): ErrorSize => ({
  rms: Math.min(a.rms, b.rms),
  max: Math.min(a.max, b.max),
});

const larger = (a: ErrorSize, b: ErrorSize): ErrorSize => ({
  rms: Math.max(a.rms, b.rms),
  max: Math.max(a.max, b.max),
});

function largest(tensor: Tensor): number {
  let most = 0;
  for (const x of toNumbers(tensor)) if (Number.isFinite(x)) most = Math.max(most, Math.abs(x));
  return most;
}

/**
 * The coarser type of both runs: what is stored in float32 cannot be closer than float32 is.
 */
function precisionFor(target: Tensor, source: Tensor | undefined): Precision {
  const [left, right] = [target, source ?? target].map(({ dtype }) => precisionOf(dtype));
  return left && right ? coarser(left, right) : (left ?? right ?? 'float32');
}

/** numpy's allclose: each element within `atol + rtol·|expected|` of what is expected of it. */
function judgeFixed(
  { target, source, oracle }: Numbers,
  mismatched: number,
  { rtol, atol }: { readonly rtol: number; readonly atol: number },
) {
  const expected = (source ?? oracle)!;
  const [t, e] = [toNumbers(target), toNumbers(expected)];
  let outside = mismatched;
  for (let i = 0; i < t.length; i++) {
    const off = Math.abs(t[i]! - e[i]!);
    if (off > atol + rtol * Math.abs(e[i]!)) outside++;
  }
  const limit = atol + rtol * largest(expected);
  const verdict: Verdict = outside > 0 ? 'differ' : 'agree';
  const reason =
    outside > 0
      ? `${outside} of ${t.length} elements are off by more than ${atol} + ${rtol} times what is expected`
      : null;
  const size = { rms: limit, max: limit };
  return { verdict, reason, tolerance: size, bound: size, outside, isByError: false };
}
