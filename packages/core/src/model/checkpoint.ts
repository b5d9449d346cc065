import type { TensorStore } from './tensor-store.js';

/** Weights without a graph: a store and where it comes from. */
export interface Checkpoint {
  readonly store: TensorStore;
  /** Format it was read from. */
  readonly format: string;
  /** Versions by that format's own names. */
  readonly versions: Readonly<Record<string, string>>;
  /** File it was read from, as the user named it. */
  readonly file: string;
}
