import type { Dim, Shape } from './dim.js';
import type { DType } from './dtype.js';

/** What is known of a value before anything runs. */
export interface ValueType {
  readonly dtype: DType;
  /** undefined: not even the rank is known. */
  readonly shape: Shape | undefined;
  /**
   * The elements of a small integer tensor in C order, where they are constants or expressions over
   * named dimensions.
   */
  readonly elements?: readonly Dim[] | undefined;
  /**
   * Nobody knows the type: an operator that core does not know made it, or it was computed from
   * such a value. What stands above is a guess, and that something does not fit it says nothing.
   */
  readonly isUntyped?: boolean | undefined;
}
