/** The rules of the verdict. */
export interface Rules {
  /** How many times the source runtime's own error the target's may be in any case. */
  readonly multiple: number;
  /**
   * How many times the expected rounding error the target's may be: runtimes sum in different
   * orders, and some approximate.
   */
  readonly expectedMultiple: number;
  /**
   * How many times the source runtime's own error the target's may be where the expected error
   * would allow for more; further where the output has few elements, whose error is small by luck.
   */
  readonly mostMultiple: number;
  /** How many times the expected rounding error the target's may be and not differ. */
  readonly boundMultiple: number;
  /**
   * How many times the expected rounding error the source's own may be: a source that is further
   * off the oracle was misread, or is wrong itself.
   */
  readonly doubtMultiple: number;
  /**
   * Without an oracle: how far source and target may be apart, in ULP of the largest magnitude.
   */
  readonly fallbackUlp: number;
  /** A tolerance above this share of the output's range proves nothing: the output is undecided. */
  readonly maxToleranceOfRange: number;
  /**
   * Fixed tolerances in place of all of the above: an element may be off what is expected of it,
   * the source's or else the oracle's, by `atol + rtol·|expected|`.
   */
  readonly fixed?: { readonly rtol: number; readonly atol: number };
}

/** The rules unless the caller says otherwise. */
export const rules: Rules = {
  multiple: 4,
  expectedMultiple: 3,
  mostMultiple: 8,
  boundMultiple: 10,
  doubtMultiple: 20,
  fallbackUlp: 1024,
  maxToleranceOfRange: 1 / 16,
};

/** By how much an error over few elements may be less than it is over many. */
export const luck = (count: number): number => 1 + 4 / Math.sqrt(Math.max(count, 1));
