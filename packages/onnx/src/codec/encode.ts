/* eslint-disable drover/no-open-lookup -- fields go by the names of the generated schema */
import type { SinkFile } from '@drover/core';
import protobuf from 'protobufjs/minimal.js';
import { onnxDiagnostics } from '../diagnostics.js';
import type { Int64, Message, Payload } from '../schema/message.js';
import type { Messages, ModelProto } from '../schema/onnx.js';
import { messageType, type FieldType, type MessageType } from './message-type.js';
import { isPayload } from './payload.js';

/** What protobuf's readers accept as one message. */
export const maxEncodedBytes = 2 ** 31 - 1;
/** Byte strings above this are handed to the file as they are, not copied. */
const copyBytes = 64 * 1024;
/** As protobuf's own readers, which refuse deeper messages. */
const maxDepth = 100;

type Encodable = Message & Record<string, unknown>;

/**
 * Writes one message as protobuf, fields in ascending order and unknown ones last, as the canonical
 * encoders do. Sizes are counted first, then payloads are read and written one after the other, so
 * that the memory needed is the message without them plus the largest one. The file is not closed.
 * Errors: `onnx/too-large` above 2 GiB and `onnx/unencodable` for a value that its field cannot
 * hold, both before anything is written; `onnx/payload-size` for a payload that does not give the
 * announced bytes.
 */
export async function encodeMessage<Name extends keyof Messages>(
  name: Name,
  message: Messages[Name],
  file: SinkFile,
): Promise<void> {
  const encoder = new Encoder();
  const size = encoder.size(message as Encodable, messageType(name), 1);
  if (size > maxEncodedBytes) {
    throw onnxDiagnostics.error('too-large', {
      message: `The ${name} would be ${size} bytes, above the 2 GiB of protobuf.`,
      origin: { file: '' },
    });
  }
  encoder.write(message as Encodable, messageType(name));
  for (const piece of encoder.pieces()) {
    if (isPayload(piece)) await copyPayload(piece, file);
    else await file.write(piece);
  }
}

/** Writes a model; see {@link encodeMessage}. */
export function encodeModel(model: ModelProto, file: SinkFile): Promise<void> {
  return encodeMessage('ModelProto', model, file);
}

/**
 * Bytes that {@link encodeModel} would write, counted without reading a payload. Above {@link
 * maxEncodedBytes} weights have to move to external data.
 */
export function encodedSize(model: ModelProto): number {
  return new Encoder().size(model as Encodable, messageType('ModelProto'), 1);
}

/**
 * Copies a payload to a file. Throws `onnx/payload-size` when it does not give the announced number
 * of bytes.
 */
export async function copyPayload(payload: Payload, file: SinkFile): Promise<void> {
  const wrong = (got: string) =>
    onnxDiagnostics.error('payload-size', {
      message: `A tensor of ${payload.length} bytes gave ${got}.`,
      origin: { file: '' },
    });
  let written = 0;
  for await (const chunk of payload.chunks?.() ?? [await payload.read()]) {
    written += chunk.length;
    if (written > payload.length) throw wrong('more');
    await file.write(chunk);
  }
  if (written < payload.length) throw wrong(`${written}`);
}

class Encoder {
  readonly #sizes = new Map<object, number>();
  readonly #pieces: (Uint8Array | Payload)[] = [];
  #writer = protobuf.Writer.create();

  /** Bytes of a message without its tag and length. */
  size(message: Encodable, type: MessageType, depth: number): number {
    const known = this.#sizes.get(message);
    if (known !== undefined) return known;
    if (depth > maxDepth) throw unencodable(type.name, `messages nest deeper than ${maxDepth}`);
    let size = 0;
    for (const field of type.fields) {
      const value = message[field.name];
      if (value !== undefined) size += this.#fieldSize(message, type, field, value, depth);
    }
    for (const chunk of message.wire?.unknown ?? []) size += chunk.length;
    this.#sizes.set(message, size);
    return size;
  }

  #fieldSize(
    message: Encodable,
    type: MessageType,
    field: FieldType,
    value: unknown,
    depth: number,
  ): number {
    const tagSize = varintSize(field.tag);
    if (isPayload(value)) return tagSize + delimited(value.length);
    if (!field.repeated) return tagSize + this.#valueSize(type, field, value, depth);
    const values = value as ArrayLike<unknown>;
    let size = 0;
    for (let i = 0; i < values.length; i++) size += this.#valueSize(type, field, values[i], depth);
    if (!isPacked(message, field)) return size + tagSize * values.length;
    return values.length === 0 ? 0 : tagSize + delimited(size);
  }

  #valueSize(type: MessageType, field: FieldType, value: unknown, depth: number): number {
    switch (field.kind) {
      case 'message':
        return delimited(this.size(value as Encodable, field.type!, depth + 1));
      case 'string':
        return delimited(utf8Size(`${type.name}.${field.name}`, value as string));
      case 'bytes':
        return delimited((value as Uint8Array).length);
      case 'float':
        return 4;
      case 'double':
        return 8;
      case 'int32':
      case 'enum':
        if ((value as number) !== ((value as number) | 0))
          throw unencodable(`${type.name}.${field.name}`, `${String(value)} is no 32-bit integer`);
        return (value as number) < 0 ? 10 : varintSize(value as number);
      case 'int64':
      case 'uint64':
        return integerSize(`${type.name}.${field.name}`, field.kind, value as Int64);
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
    if (isPayload(value)) {
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
      case 'float':
        writer.float(value as number);
        return;
      case 'double':
        writer.double(value as number);
        return;
      case 'int32':
      case 'enum':
        writer.int32(value as number);
        return;
      case 'int64':
      case 'uint64':
        // The writer takes bigints for Long objects and would write zero.
        writer.int64(
          typeof value === 'bigint' ? BigInt.asIntN(64, value).toString() : (value as number),
        );
    }
  }

  #bytes(bytes: Uint8Array | Payload): void {
    if (!isPayload(bytes) && bytes.length <= copyBytes) this.#writer.raw(bytes);
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
  pieces(): readonly (Uint8Array | Payload)[] {
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

function integerSize(where: string, kind: 'int64' | 'uint64', value: Int64): number {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || (kind === 'uint64' && value < 0))
      throw unencodable(where, `${value} is no exact ${kind}`);
    return value < 0 ? 10 : varintSize(value);
  }
  const wrapped = kind === 'int64' ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
  if (wrapped !== value) throw unencodable(where, `${value} is no ${kind}`);
  let size = 1;
  for (let rest = BigInt.asUintN(64, value); rest >= 128n; rest >>= 7n) size++;
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
  return onnxDiagnostics.error('unencodable', {
    message: `${where} cannot be written: ${why}.`,
    origin: { file: '' },
  });
}
