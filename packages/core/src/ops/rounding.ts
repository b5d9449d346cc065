/**
 * What the error of an element is measured by: `element`, its own magnitude; `terms`, that of the
 * terms that were added up to it, for which the elements around it stand; `one`, at least 1.
 */
export type RoundingScale = 'element' | 'terms' | 'one';

/**
 * How far the results of a correct float implementation may be from the reference: `ulp` units in
 * the last place of the scale, which an element exceeds as seldom as a normal variable exceeds
 * {@link roundingConfidence} standard deviations. Rounding errors are taken as independent and of
 * mean zero, so n of them add up to √n (Higham and Mary 2019, A New Approach to Probabilistic
 * Rounding Error Analysis); what does not average out, as an error of a coordinate, is added as it
 * is.
 */
export interface Rounding {
  readonly ulp: number;
  readonly of: RoundingScale;
  /** Along this axis, terms are of a magnitude of their own at each index, as channels are. */
  readonly axis?: number;
  /** Mean squares of sums of the terms, where the operands tell them (Op.termSquares). */
  readonly squares?: Float64Array | number;
}

/** How many standard deviations a {@link Rounding} allows: the λ of Higham and Mary. */
export const roundingConfidence = 5;

const none: Rounding = { ulp: 0, of: 'element' };

/** Nothing is lost: elements are moved, chosen or counted. */
export const exact = (): Rounding => none;

/** So many units in the last place of each element. */
export const ofElement = (ulp: number): Rounding => ({ ulp, of: 'element' });

/**
 * So many units in the last place of the terms that make an element, `axis` being one along which
 * their magnitude varies.
 */
export const ofTerms = (ulp: number, axis?: number): Rounding =>
  axis === undefined ? { ulp, of: 'terms' } : { ulp, of: 'terms', axis };

/** So many units in the last place of an element, and of 1 where it is smaller. */
export const ofOne = (ulp: number): Rounding => ({ ulp, of: 'one' });
