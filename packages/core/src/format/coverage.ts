import type { Gap } from '../export/rule.js';

/** Which operators a format reads and writes: made from its rules, for support tables. */
export interface Coverage {
  /** Every operator that the format lists. */
  readonly listed: readonly string[];
  /** Those among them that have a canonical form. */
  readonly read: readonly string[];
  /** For every core operator its rule, or why it has none. */
  readonly written: ReadonlyMap<string, Gap | ((...given: never) => unknown)>;
}
