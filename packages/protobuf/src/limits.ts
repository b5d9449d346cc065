import { coreDiagnostics, type DroverError } from '@drover/core';

/** A bound, under the name by which a caller can raise it. */
export interface Bound {
  readonly limit: string;
  readonly most: number;
}

/** What messages of one kind are bound to. */
export interface MessageBounds {
  /** How many there are in all. */
  readonly count?: Bound;
  /** How many of them stand around each, directly or not. */
  readonly nesting?: Bound;
}

/**
 * What a reader accepts before it takes a file for hostile. The name of the limit that was reached
 * stands in the diagnostic.
 */
export interface DecodeLimits {
  /** Messages within messages. Protobuf's own readers stop at 100. */
  readonly maxDepth: number;
  /** Bytes of one text or byte string. */
  readonly maxStringBytes: number;
  /**
   * Messages of every kind together: an empty one takes two bytes in the file and some sixty in
   * memory.
   */
  readonly maxMessages: number;
  /** Bounds of single kinds of messages, by their names. */
  readonly bounds: ReadonlyMap<string, MessageBounds>;
}

/** The limits where the caller names none. */
export const defaultLimits: DecodeLimits = {
  maxDepth: 100,
  maxStringBytes: 10_000_000,
  maxMessages: 8_000_000,
  bounds: new Map(),
};

/** `core/limit` that names the limit which `what` exceeds. */
export function limitError(
  { limit, most }: Bound,
  what: string,
  file: string,
  offset?: number,
): DroverError {
  return coreDiagnostics.error('limit', {
    message: `${what} exceeds ${limit} (${most}) in ${file}.`,
    help: `Raise the limit ${limit} if you trust the file.`,
    origin: { file, ...(offset !== undefined && { offset }) },
  });
}
