/**
 * Whether two models compute the same. `suspicious`: further apart than their own errors explain,
 * and not further than rounding may lead. `near-tie`: they part only where the float64 reference
 * shows two results within the rounding errors, as the two largest scores of an index. `undecided`:
 * the outputs could not have told a broken conversion from a sound one. All but `agree` fail.
 */
export type Verdict = 'agree' | 'near-tie' | 'suspicious' | 'undecided' | 'differ';

/** From the best to the worst. */
const order: readonly Verdict[] = ['agree', 'near-tie', 'suspicious', 'undecided', 'differ'];

/** The worst of some verdicts; undecided where there are none. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  const ranks = verdicts.map((verdict) => order.indexOf(verdict));
  return order[Math.max(...ranks)] ?? 'undecided';
}
