import { isFloat, type Tensor } from '@drover/core';
import type { Shares } from './contributions.js';
import type { ErrorSize } from './error-size.js';
import { judgeExact } from './judge-exact.js';
import { judgeNumbers, type Finding } from './judge-numbers.js';
import { measure, type Metrics } from './metrics.js';
import { describeTie, errorWithTies, isNearTie, turnsAsExpected } from './near-ties.js';
import type { ExpectedError, Oracle } from './oracle.js';
import { rules, type Rules } from './rules.js';
import { Spread } from './spread.js';
import { worstOf, type Verdict } from './verdict.js';

/** What one run gave to judge by. Tensors go by the name of the output. */
export interface Evidence {
  /** What the source model's own runtime gave, or the framework itself (a golden). */
  readonly source?: ReadonlyMap<string, Tensor> | undefined;
  /** Whether the reference evaluator gave the source: then it has no error of its own to go by. */
  readonly isSourceExact?: boolean;
  /**
   * Whether the source is what the target is expected to give: then it is held to the oracle as the
   * target is, and its error excuses none.
   */
  readonly isSourceExpected?: boolean;
  /** What the target model gave. */
  readonly target: ReadonlyMap<string, Tensor>;
  /** What the reference evaluator gave: the truth that both are measured against. */
  readonly oracle?: Oracle | undefined;
  /**
   * Where there is no oracle: how far source and target may be apart, in the root of the mean
   * square of the source.
   */
  readonly between?: ReadonlyMap<string, ErrorSize> | undefined;
}

/** The judgement of one output over all runs. Numbers are those of the worst of them. */
export interface OutputJudgement {
  readonly name: string;
  readonly verdict: Verdict;
  readonly agree: boolean;
  /** Whether it agrees only because a model stores its weights more coarsely (judgeAsStored). */
  readonly asQuantised: boolean;
  /** Why, unless it agrees. */
  readonly reason: string | null;
  /**
   * Largest error that still agrees, and largest that is suspicious and does not differ, as
   * absolute numbers; null when nothing was compared. Integers, bool and text must be equal.
   */
  readonly tolerance: ErrorSize | null;
  readonly bound: ErrorSize | null;
  /** The target against the oracle; null without one. */
  readonly error: ErrorSize | null;
  /** The source runtime's own error against the oracle; null without one of both. */
  readonly sourceError: ErrorSize | null;
  /** What rounding is expected to do; null without an oracle, and for what is no float. */
  readonly expectedError: ErrorSize | null;
  /** Which operators make the expected error: their shares, the largest first. */
  readonly shares: Shares;
  /** Share of elements outside the tolerance. */
  readonly fractionOutside: number | null;
  /** The target against the source, or against the oracle where the source did not run. */
  readonly metrics: Metrics | null;
}

/** The judgement of some runs. */
export interface Judgement {
  /** The worst of the outputs; `undecided` where there are none. */
  readonly verdict: Verdict;
  readonly outputs: readonly OutputJudgement[];
}

/**
 * Judges every output over some runs: `names` are those that the source model declares, in order.
 *
 * With an oracle, the target's error against it agrees up to `multiple` times the source runtime's
 * own error, and up to `expectedMultiple` times what rounding is expected to do to the output; it
 * is suspicious up to `boundMultiple` times that, and differs beyond. Both its root of the mean
 * square and its largest element are held so. Results that jump, and what follows from them, may be
 * where runs with rounding errors have them. Without an oracle source and target may be
 * `fallbackUlp` apart. Integers, bool and text must be equal to the source or to the oracle. NaN
 * and infinities must stand where the source has them. An output never agrees by default: one that
 * is missing, of another shape or kind differs; one that is empty, constant in all runs, or smaller
 * in range than the tolerance can discern is undecided, and so is one for which the source's own
 * runtime and the oracle are further apart than rounding explains: then one of them is not what the
 * source is.
 */
export async function judge(
  names: readonly string[],
  runs: readonly Evidence[],
  options: Partial<Rules> = {},
): Promise<Judgement> {
  const effective = { ...rules, ...options };
  const outputs: OutputJudgement[] = [];
  for (const name of names) outputs.push(await judgeOutput(name, runs, effective));
  const others = new Set(runs.flatMap(({ target }) => [...target.keys()]));
  for (const name of others)
    if (!names.includes(name))
      outputs.push(unmeasured(name, 'differ', 'the source model has no such output'));
  return { verdict: worstOf(outputs.map(({ verdict }) => verdict)), outputs };
}

function unmeasured(name: string, verdict: Verdict, reason: string): OutputJudgement {
  const none = {
    tolerance: null,
    bound: null,
    error: null,
    sourceError: null,
    expectedError: null,
    fractionOutside: null,
    metrics: null,
  };
  return {
    name,
    verdict,
    agree: false,
    asQuantised: false,
    reason,
    ...none,
    shares: new Map(),
  };
}

/** An output in one run. */
interface Run extends Finding {
  readonly target: Tensor;
  /** What it is shown against. */
  readonly shown: Tensor;
  readonly expected: ExpectedError | undefined;
}

async function judgeOutput(
  name: string,
  evidence: readonly Evidence[],
  rules: Rules,
): Promise<OutputJudgement> {
  const spread = new Spread();
  const found: Run[] = [];
  for (const each of evidence) {
    const { target: targets, source: sources, oracle, between } = each;
    const { isSourceExact = false, isSourceExpected = false } = each;
    const [target, source, exact] = [targets, sources, oracle?.outputs].map((all) =>
      all?.get(name),
    );
    const reference = exact ?? source;
    if (reference === undefined)
      return unmeasured(name, 'undecided', 'there is nothing to compare it with');
    if (target === undefined) return unmeasured(name, 'differ', 'the target does not give it');
    const other = [source, exact].find((each) => each && !isLike(target, each));
    if (other) {
      const isTie = oracle?.jumps && (await areNearTies(oracle, name, [target, source]));
      return unmeasured(name, isTie ? 'near-tie' : 'differ', unlike(target, other));
    }
    const expected = oracle?.expected.get(name);
    const isContinuous = [target, source ?? reference].every(isFloatLike);
    const finding = isContinuous
      ? judgeNumbers(
          {
            target,
            source,
            isSourceExact,
            isSourceExpected,
            oracle: exact,
            expected,
            between: between?.get(name),
          },
          rules,
        )
      : judgeExact(target, source, exact);
    const settled =
      oracle?.jumps && !rules.fixed
        ? await settleTies(finding, { name, oracle, target, isContinuous }, rules)
        : finding;
    spread.add(reference, rules.fixed ? 0 : settled.tolerance.max);
    found.push({ ...settled, target, shown: source ?? reference, expected });
  }
  return finish(name, found, spread.vacuity(rules.maxToleranceOfRange));
}

/** Whether each side that is not of the exact shape is what rounding may make of the output. */
async function areNearTies(
  oracle: Oracle,
  name: string,
  sides: readonly (Tensor | undefined)[],
): Promise<boolean> {
  const exact = oracle.outputs.get(name);
  for (const side of sides) {
    if (!exact || !side || isLike(side, exact)) continue;
    if (kindOf(side) !== kindOf(exact) || !(await isNearTie(oracle, name, side))) return false;
  }
  return exact !== undefined;
}

/** The judgement of an output whose runs are judged. */
function finish(name: string, runs: readonly Run[], vacuous: string | null): OutputJudgement {
  const verdict = worstOf(runs.map((run) => run.verdict));
  const worst = runs
    .filter((run) => run.verdict === verdict)
    .reduce((a, b) => (excess(b) > excess(a) ? b : a));
  const isVacuous = vacuous !== null && verdict !== 'differ' && verdict !== 'undecided';
  const metrics = measure(worst.target, worst.shown);
  return {
    name,
    verdict: isVacuous ? 'undecided' : verdict,
    agree: !isVacuous && verdict === 'agree',
    asQuantised: false,
    reason: isVacuous ? vacuous : worst.reason,
    tolerance: worst.tolerance,
    bound: worst.bound,
    error: worst.error,
    sourceError: worst.sourceError,
    expectedError: worst.expected ?? null,
    shares: worst.expected?.shares ?? new Map(),
    fractionOutside: metrics.count > 0 ? worst.outside / metrics.count : null,
    metrics,
  };
}

/** How far a run is beyond what agrees. */
const excess = ({ error, tolerance, outside }: Run) =>
  error && tolerance.max > 0 ? error.max / tolerance.max : outside;

/**
 * What is left of a finding where results may jump: agrees when runs with the expected errors are
 * as far off, and is a near-tie when runs with the largest are.
 */
async function settleTies(
  finding: Finding,
  at: { name: string; oracle: Oracle; target: Tensor; isContinuous: boolean },
  rules: Rules,
): Promise<Finding> {
  const { error } = finding;
  const { name, oracle, target } = at;
  if (!finding.isByError) return finding;
  const within = async (amplitude: 'expected' | 'largest') => {
    const { rms, max } = await errorWithTies(oracle, name, amplitude);
    const by = rules.expectedMultiple;
    return error !== null && error.rms <= by * rms && error.max <= by * max;
  };
  const isExpected = at.isContinuous
    ? await within('expected')
    : await turnsAsExpected(oracle, name, target);
  if (isExpected) return { ...finding, verdict: 'agree', reason: null };
  const isTie = at.isContinuous ? await within('largest') : await isNearTie(oracle, name, target);
  if (!isTie) return finding;
  const [first] = await oracle.ties();
  const where = first ? `: ${describeTie(first)}` : '';
  return {
    ...finding,
    verdict: 'near-tie',
    reason: `both sides of a tie that is closer than rounding${where}`,
  };
}

/**
 * A type may be narrowed or, in a framework that computes in floats only, become a float: the
 * values decide. Text and complex numbers stay what they are.
 */
function kindOf({ dtype }: Tensor): 'text' | 'complex' | 'number' {
  return dtype === 'string' ? 'text' : dtype.startsWith('complex') ? 'complex' : 'number';
}

const isFloatLike = ({ dtype }: Tensor) => isFloat(dtype) || dtype.startsWith('complex');

const isLike = (target: Tensor, other: Tensor) =>
  other.shape.join() === target.shape.join() && kindOf(other) === kindOf(target);

function unlike(target: Tensor, other: Tensor): string {
  return other.shape.join() === target.shape.join()
    ? `its type is ${target.dtype} and not ${other.dtype}`
    : `its shape is [${target.shape.join(', ')}] and not [${other.shape.join(', ')}]`;
}
