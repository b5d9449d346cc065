import type { ByteHandle } from '@drover/core';

/**
 * A 64-bit integer: a number where that is exact (up to 2^53 - 1 in magnitude), else a bigint.
 * Decoding always follows this rule; encoding takes both.
 */
export type Int64 = number | bigint;

/**
 * What a message held on the wire beyond its fields' values, kept so that encoding gives the same
 * bytes back.
 */
export interface WireDetail {
  /**
   * Fields that the schema does not know or whose wire type it does not expect: tag and value as
   * they were, in order. Written after the known fields.
   */
  unknown?: (Uint8Array | ByteHandle)[];
  /**
   * Numbers of repeated fields that were packed although the schema says unpacked, or the other way
   * round.
   */
  repacked?: number[];
  /** Bits of float fields that hold a NaN other than 0x7fc00000, by field number. */
  nan?: Record<number, number>;
}

/**
 * Any decoded message: a plain object with the schema's fields in camel case. A field that is
 * absent on the wire is absent here.
 */
export interface Message {
  wire?: WireDetail;
}
