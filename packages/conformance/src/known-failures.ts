/** A conversion of a fixture model that is known to fail, and how. Whoever makes it pass takes it out: an unexpected pass fails. */
export interface KnownFailure {
  /** Folder and file of the fixture. */
  readonly model: string;
  /** Formats in turn: `tfjs`, or `tfjs+onnx` for there and back; `tfjs again` for the second write. */
  readonly chain: string;
  /** The diagnostic, or `differs`. */
  readonly code: string;
  readonly reason: string;
}

/** The known failures. */
export const knownFailures: readonly KnownFailure[] = [];
