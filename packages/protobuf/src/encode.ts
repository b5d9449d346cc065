/* eslint-disable drover/no-open-lookup -- fields go by the names of the schema */
import { ByteHandle, type SinkFile } from '@drover/core';
import protobuf from 'protobufjs/minimal.js';
import { protobufDiagnostics } from './diagnostics.js';
import type { Int64, Message } from './message.js';
import type { FieldKind, FieldType, MessageType, Schema } from './schema.js';

/** What protobuf's readers accept as one message. */
export const maxEncodedBytes = 2 ** 31 - 1;
/** Byte strings above this are handed to the file as they are, not copied. */
const copyBytes = 64 * 1024;
/** As protobuf's own readers, which refuse deeper messages. */
const maxDepth = 100;

type Encodable = Message & Record<string, unknown>;

/**
 * Writes one message as protobuf, fields in ascending order and unknown ones last, as the canonical
 * encoders do. Sizes are counted first, then handles are read and written in pieces, one after the
 * other, so that the memory needed is the message without them. The file is not closed. Errors:
 * `protobuf/too-large` above 2 GiB and `protobuf/unencodable` for a value that its field cannot
 * hold, both before anything is written; and those of the handles.
 */
export async function encodeMessage<Messages, Name extends keyof Messages & string>(
  schema: Schema<Messages>,
  name: Name,
  message: Messages[Name],
  file: SinkFile,
): Promise<void> {
  const encoder = new Encoder();
  const type = schema.type(name);
  const size = encoder.size(message as Encodable, type, 1);
  if (size > maxEncodedBytes) {
    throw protobufDiagnostics.error('too-large', {
      message: `The ${name} would be ${size} bytes, above the 2 GiB of protobuf.`,
      origin: { file: '' },
    });
  }
  encoder.write(message as Encodable, type);
  for (const piece of encoder.pieces()) {
    if (piece instanceof ByteHandle)
      for await (const chunk of piece.chunks()) await file.write(chunk);
    else await file.write(piece);
  }
}

/**
 * Bytes that {@link encodeMessage} would write, counted without reading a handle. Throws
 * `protobuf/unencodable`.
 */
export function encodedSize<Messages, Name extends keyof Messages & string>(
  schema: Schema<Messages>,
  name: Name,
  message: Messages[Name],
): number {
  return new Encoder().size(message as Encodable, schema.type(name), 1);
}

class Encoder {
  readonly #sizes = new Map<object, number>();
  readonly #pieces: (Uint8Array | ByteHandle)[] = [];
  #writer = protobuf.Writer.create();

  /** Bytes of a message without its tag and length. */
  size(message: Encodable, type: MessageType, depth: number): number {
    const known = this.#sizes.get(message);
    if (known !== undefined) return known;
    if (depth > maxDepth) throw unencodable(type.name, `messages nest deeper than ${maxDepth}`);
    let size = 0;
    for (const field of type.fields) {
      const value = message[field.name];
      if (value !== undefined) size += this.#fieldSize(message, field, value, depth);
    }
    for (const chunk of message.wire?.unknown ?? []) size += chunk.length;
    this.#sizes.set(message, size);
    return size;
  }

  #fieldSize(message: Encodable, field: FieldType, value: unknown, depth: number): number {
    const tagSize = varintSize(field.tag);
    if (value instanceof ByteHandle) return tagSize + delimited(value.length);
    if (!field.repeated) return tagSize + this.#valueSize(field, value, depth);
    const values = value as ArrayLike<unknown>;
    let size = 0;
    for (let i = 0; i < values.length; i++) size += this.#valueSize(field, values[i], depth);
    if (!isPacked(message, field)) return size + tagSize * values.length;
    return values.length === 0 ? 0 : tagSize + delimited(size);
  }

  #valueSize(field: FieldType, value: unknown, depth: number): number {
    switch (field.kind) {
      case 'message':
        return delimited(this.size(value as Encodable, field.type!, depth + 1));
      case 'string':
        return delimited(utf8Size(field.path, value as string));
      case 'bytes':
        return delimited((value as Uint8Array).length);
      case 'bool':
        return 1;
      default:
        return numberSize(field, value as Int64);
    }
  }

  /** Writes a message whose size has been counted. */
  write(message: Encodable, type: MessageType): void {
    for (const field of type.fields) {
      const value = message[field.name];
      if (value !== undefined) this.#field(message, field, value);
    }
    for (const chunk of message.wire?.unknown ?? []) this.#bytes(chunk);
  }

  #field(message: Encodable, field: FieldType, value: unknown): void {
    if (value instanceof ByteHandle) {
      this.#writer.uint32(field.blockTag).uint32(value.length);
      this.#bytes(value);
    } else if (!field.repeated) {
      this.#writer.uint32(field.tag);
      const nan = message.wire?.nan?.[field.number];
      if (nan !== undefined && Number.isNaN(value)) this.#writer.fixed32(nan);
      else this.#value(field, value);
    } else if (field.kind === 'float' || field.kind === 'double')
      this.#fixed(message, field, value as ArrayLike<number>);
    else {
      const values = value as ArrayLike<unknown>;
      const packed = isPacked(message, field) && values.length > 0;
      if (packed) this.#writer.uint32(field.blockTag).fork();
      for (let i = 0; i < values.length; i++) {
        if (!packed) this.#writer.uint32(field.tag);
        this.#value(field, values[i]);
      }
      if (packed) this.#writer.ldelim();
    }
  }

  /** Repeated floats and doubles, bit for bit where they are typed arrays. */
  #fixed(message: Encodable, field: FieldType, values: ArrayLike<number>): void {
    if (values.length === 0) return;
    const array = ArrayBuffer.isView(values)
      ? values
      : field.kind === 'float'
        ? Float32Array.from(values)
        : Float64Array.from(values);
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    if (isPacked(message, field)) {
      this.#writer.uint32(field.blockTag).uint32(bytes.length);
      this.#bytes(bytes);
      return;
    }
    const width = field.kind === 'float' ? 4 : 8;
    for (let at = 0; at < bytes.length; at += width)
      this.#writer.uint32(field.tag).raw(bytes.subarray(at, at + width));
  }

  #value(field: FieldType, value: unknown): void {
    const writer = this.#writer;
    switch (field.kind) {
      case 'message':
        writer.uint32(this.#sizes.get(value as Encodable)!);
        this.write(value as Encodable, field.type!);
        return;
      case 'string':
        writer.string(value as string);
        return;
      case 'bytes':
        writer.uint32((value as Uint8Array).length);
        this.#bytes(value as Uint8Array);
        return;
      case 'bool':
        writer.bool(value as boolean);
        return;
      case 'enum':
        writer.int32(value as number);
        return;
      case 'int64':
      case 'uint64':
      case 'sint64':
      case 'fixed64':
      case 'sfixed64':
        // The writer takes bigints for Long objects and would write zero.
        writer[field.kind](
          typeof value === 'bigint' ? BigInt.asIntN(64, value).toString() : (value as number),
        );
        return;
      default:
        writer[field.kind](value as number);
    }
  }

  #bytes(bytes: Uint8Array | ByteHandle): void {
    const known = bytes instanceof ByteHandle ? bytes.peek() : bytes;
    if (known && known.length <= copyBytes) this.#writer.raw(known);
    else {
      this.#cut();
      this.#pieces.push(bytes);
    }
  }

  #cut(): void {
    if (this.#writer.pos > 0) this.#pieces.push(this.#writer.finish());
    this.#writer = protobuf.Writer.create();
  }

  /** Everything written, in order. */
  pieces(): readonly (Uint8Array | ByteHandle)[] {
    this.#cut();
    return this.#pieces;
  }
}

function isPacked(message: Message, field: FieldType): boolean {
  return (field.packed === true) !== (message.wire?.repacked?.includes(field.number) ?? false);
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

function delimited(length: number): number {
  return varintSize(length) + length;
}

const [signed32, unsigned32] = [
  { bits: 32, signed: true },
  { bits: 32, signed: false },
];
const [signed64, unsigned64] = [
  { bits: 64, signed: true },
  { bits: 64, signed: false },
];
/** What the kinds of integers hold. */
// prettier-ignore
const integers: Readonly<Partial<Record<FieldKind, { bits: number; signed: boolean }>>> = {
  int32: signed32, sint32: signed32, sfixed32: signed32, enum: signed32,
  uint32: unsigned32, fixed32: unsigned32,
  int64: signed64, sint64: signed64, sfixed64: signed64, uint64: unsigned64, fixed64: unsigned64,
};

/** Bytes of a number on the wire. Throws `protobuf/unencodable` when the field does not hold it. */
function numberSize({ kind, wireType, path }: FieldType, value: Int64): number {
  const integer = integers[kind];
  if (integer && !fits(value, integer)) throw unencodable(path, `${value} is no ${kind}`);
  if (wireType !== 0) return wireType === 1 ? 8 : 4;
  if (kind === 'sint32' || kind === 'sint64') return zigzagSize(value);
  if (value < 0) return 10;
  return typeof value === 'bigint' ? wideSize(value) : varintSize(value);
}

function fits(value: Int64, { bits, signed }: { bits: number; signed: boolean }): boolean {
  if (typeof value === 'bigint')
    return bits === 64 && value === (signed ? BigInt.asIntN : BigInt.asUintN)(64, value);
  if (bits === 32) return value === (signed ? value | 0 : value >>> 0);
  return Number.isSafeInteger(value) && (signed || value >= 0);
}

function zigzagSize(value: Int64): number {
  if (typeof value === 'bigint') return wideSize(value < 0n ? -2n * value - 1n : 2n * value);
  return varintSize(value < 0 ? -2 * value - 1 : 2 * value);
}

function wideSize(value: bigint): number {
  let size = 1;
  for (let rest = value; rest >= 128n; rest >>= 7n) size++;
  return size;
}

function utf8Size(where: string, text: string): number {
  const size = protobuf.util.utf8.length(text);
  // A lone surrogate has no UTF-8 form; the writer would write bytes that no reader takes for text.
  if (size !== text.length && /\p{Surrogate}/u.test(text))
    throw unencodable(where, `${JSON.stringify(text.slice(0, 80))} is not well-formed Unicode`);
  return size;
}

function unencodable(where: string, why: string) {
  return protobufDiagnostics.error('unencodable', {
    message: `${where} cannot be written: ${why}.`,
    origin: { file: '' },
  });
}
