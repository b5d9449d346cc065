import type { Diagnostic } from '@drover/core';

/** What every command gives. */
export interface Outcome {
  readonly diagnostics: readonly Diagnostic[];
  /** Fields of the document that --json prints, beside `drover` and `diagnostics`. */
  readonly document: Readonly<Record<string, unknown>>;
  /** Lines for people. */
  readonly lines: readonly string[];
  /** Whether a check that the command made failed. */
  readonly hasFailed?: boolean;
  /** Whether standard output carries a file, so that the lines go to standard error. */
  readonly isPiped?: boolean;
}

/** The code of a command: its arguments and options in, its outcome out. Throws DroverErrors. */
export type Run = (
  args: readonly string[],
  options: Readonly<Record<string, unknown>>,
) => Promise<Outcome>;
