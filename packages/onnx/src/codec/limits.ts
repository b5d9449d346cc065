import { coreDiagnostics, type DroverError } from '@drover/core';

/**
 * What a reader accepts before it takes a file for hostile. The name of the limit that was reached
 * stands in the diagnostic.
 */
export interface Limits {
  /** Messages within messages. Protobuf's own readers stop at 100. */
  readonly maxDepth: number;
  /** Graphs within the attributes of nodes. */
  readonly maxSubgraphDepth: number;
  /**
   * Bytes of one text or byte string (a name, a documentation, a string attribute, an element of a
   * string tensor).
   */
  readonly maxStringBytes: number;
  readonly maxNodes: number;
  readonly maxTensors: number;
  /**
   * Messages of every kind together: an empty one takes two bytes in the file and some sixty in
   * memory.
   */
  readonly maxMessages: number;
  /** Bytes of a dense tensor made from a sparse one: its size is bound by nothing in the file. */
  readonly maxDenseBytes: number;
}

/** The limits where the caller names none. */
export const defaultLimits: Limits = {
  maxDepth: 100,
  maxSubgraphDepth: 30,
  maxStringBytes: 10_000_000,
  maxNodes: 1_000_000,
  maxTensors: 1_000_000,
  maxMessages: 8_000_000,
  maxDenseBytes: 256 * 1024 * 1024,
};

/** `core/limit` that names the limit which `what` exceeds. */
export function limitError(
  limit: keyof Limits,
  limits: Limits,
  what: string,
  file: string,
  offset?: number,
): DroverError {
  return coreDiagnostics.error('limit', {
    message: `${what} exceeds ${limit} (${limits[limit]}) in ${file}.`,
    help: `Raise the limit ${limit} if you trust the file.`,
    origin: { file, ...(offset !== undefined && { offset }) },
  });
}
