/** Where a finding comes from, in the source's own terms. */
export interface DiagnosticOrigin {
  /** Name of the file as the user gave it. */
  readonly file: string;
  /** Name of the source node. */
  readonly node?: string;
  /** Operator of the source node, as its format spells it. */
  readonly op?: string;
  /** Byte offset within the file. */
  readonly offset?: number;
  /** JSON pointer (RFC 6901) within the file. */
  readonly pointer?: string;
}

/**
 * How grave a finding is: an `error` stops, a `warning` may change meaning, an `info` only tells.
 */
export type Severity = 'error' | 'warning' | 'info';

/**
 * Why something fails: `usage` and `io` are the caller's surroundings, `unsupported` is what cannot
 * be converted faithfully, `malformed` is bad input, `limit` is a bound that the caller can raise.
 * A finding that stops nothing is a `note`.
 */
export type Failure = 'usage' | 'io' | 'unsupported' | 'malformed' | 'limit' | 'note';

/** One finding: what, why, where, and what to do. `help` is never empty. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  /** Why, without the place: what `message` says after naming the node. */
  readonly reason?: string;
  readonly help: string;
  readonly origin: DiagnosticOrigin;
}

/** A kind of finding, as a package's catalogue declares it. */
export interface DiagnosticKind {
  readonly failure: Failure;
  readonly severity: Severity;
  /** What the code means, in one or two sentences for `drover explain`. */
  readonly summary: string;
  /** What to do, when the place that reports it knows nothing better. */
  readonly help: string;
}

/** What the place that reports a finding adds to its kind. */
export interface Finding {
  readonly message: string;
  /** Why, where `message` begins with the node that it is about. */
  readonly reason?: string;
  readonly origin: DiagnosticOrigin;
  readonly help?: string;
}

/** The typed failure of every package: carries all the findings, not the first. */
export class DroverError extends Error {
  override readonly name: string = 'DroverError';
  constructor(
    readonly failure: Failure,
    readonly diagnostics: readonly Diagnostic[],
  ) {
    super(diagnostics.map((d) => `${d.code}: ${d.message}`).join('\n'));
  }
}

/** Thrown once, at the end, with everything that cannot be converted. */
export class ConversionError extends DroverError {
  override readonly name = 'ConversionError';
  constructor(diagnostics: readonly Diagnostic[]) {
    super('unsupported', diagnostics);
  }
}

/**
 * A package's kinds of findings, by code, with the two ways to use one: as a value and as an error.
 */
export interface DiagnosticCatalogue<Name extends string> {
  readonly prefix: string;
  readonly kinds: Readonly<Record<Name, DiagnosticKind>>;
  /** The finding as a value, to be collected in a report. */
  diagnostic(name: Name, finding: Finding): Diagnostic;
  /** The finding as an error, to be thrown. */
  error(name: Name, finding: Finding): DroverError;
}

/** Declares a package's findings. Codes are `prefix/name`. */
export function defineDiagnostics<Name extends string>(
  prefix: string,
  kinds: Readonly<Record<Name, DiagnosticKind>>,
): DiagnosticCatalogue<Name> {
  const diagnostic = (name: Name, finding: Finding): Diagnostic => ({
    code: `${prefix}/${name}`,
    severity: kinds[name].severity,
    message: finding.message,
    ...(finding.reason !== undefined && { reason: finding.reason }),
    help: finding.help ?? kinds[name].help,
    origin: finding.origin,
  });
  return {
    prefix,
    kinds,
    diagnostic,
    error: (name, finding) => new DroverError(kinds[name].failure, [diagnostic(name, finding)]),
  };
}
