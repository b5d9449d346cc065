import type { ValueOrigin } from '../graph/origin.js';

/** One line of the value map: which value of the target holds a value of the source, and how. */
export interface ValueMapping {
  readonly source: ValueOrigin;
  /** The target's name of the value. */
  readonly target: string;
}
