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
}
