/** A 64-bit integer: a number where that is exact (up to 2^53 - 1 in magnitude), else a bigint. Decoding always follows this rule; encoding takes both. */
export type Int64 = number | bigint;

/** Bytes that are read when they are needed: a range of a file, or what somebody computes. */
export interface Payload {
  /** Number of bytes, known without reading. */
  readonly length: number;
  /** All the bytes. */
  read(): Promise<Uint8Array>;
  /** The bytes in order, in pieces, for payloads that need not be in memory at once. Without it, `read` is used. */
  chunks?(): AsyncIterable<Uint8Array>;
}

/** What a message held on the wire beyond its fields' values, kept so that encoding gives the same bytes back. */
export interface WireDetail {
  /** Fields that the schema does not know or whose wire type it does not expect: tag and value as they were, in order. Written after the known fields. */
  unknown?: (Uint8Array | Payload)[];
  /** Numbers of repeated fields that were packed although the schema says unpacked, or the other way round. */
  repacked?: number[];
  /** Bits of float fields that hold a NaN other than 0x7fc00000, by field number. */
  nan?: Record<number, number>;
}

/** Any decoded message: a plain object with the schema's fields in camel case. A field that is absent on the wire is absent here. */
export interface Message {
  wire?: WireDetail;
}

/** How a field's values are typed in the schema. */
export type FieldKind = 'int32' | 'int64' | 'uint64' | 'enum' | 'float' | 'double' | 'string' | 'bytes' | 'message';

/** One field of a message, as the schema declares it. */
export interface Field {
  readonly number: number;
  /** Camel case, as the decoded object spells it. */
  readonly name: string;
  readonly kind: FieldKind;
  /** Protobuf wire type of one value: 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  readonly wireType: 0 | 1 | 2 | 5;
  readonly repeated?: true;
  /** Repeated numbers in one length-delimited block, by the schema; decoding takes both forms. */
  readonly packed?: true;
  /** Name of the message type of a `message` field. */
  readonly message?: string;
  /** Name of the group of fields of which one at most is set. */
  readonly oneof?: string;
}
