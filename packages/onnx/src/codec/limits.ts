import type { DroverError } from '@drover/core';
import * as protobuf from '@drover/protobuf';

/**
 * What a reader accepts before it takes a file for hostile. The name of the limit that was reached
 * stands in the diagnostic.
 */
export interface Limits extends Omit<protobuf.DecodeLimits, 'bounds'> {
  /** Graphs within the attributes of nodes. */
  readonly maxSubgraphDepth: number;
  readonly maxNodes: number;
  readonly maxTensors: number;
  /** Bytes of a dense tensor made from a sparse one: its size is bound by nothing in the file. */
  readonly maxDenseBytes: number;
}

const { bounds: _, ...ofEveryMessage } = protobuf.defaultLimits;

/** The limits where the caller names none. */
export const defaultLimits: Limits = {
  ...ofEveryMessage,
  maxSubgraphDepth: 30,
  maxNodes: 1_000_000,
  maxTensors: 1_000_000,
  maxDenseBytes: 256 * 1024 * 1024,
};

/** The limits in the terms of messages. */
export function decodeLimits(limits: Partial<Limits>): protobuf.DecodeLimits {
  const all = { ...defaultLimits, ...limits };
  const bound = (limit: keyof Limits) => ({ limit, most: all[limit] });
  return {
    ...all,
    bounds: new Map([
      ['GraphProto', { nesting: bound('maxSubgraphDepth') }],
      ['NodeProto', { count: bound('maxNodes') }],
      ['TensorProto', { count: bound('maxTensors') }],
    ]),
  };
}

/** `core/limit` that names the limit which `what` exceeds. */
export function limitError(
  limit: keyof Limits,
  limits: Limits,
  what: string,
  file: string,
): DroverError {
  return protobuf.limitError({ limit, most: limits[limit] }, what, file);
}
