/* eslint-disable drover/no-open-lookup -- fields go by the names of the schema */
import { ByteHandle, type ByteSource } from '@drover/core';
import { ByteWindow } from './byte-window.js';
import { FixedList } from './fixed-list.js';
import {
  defaultLimits,
  limitError,
  type Bound,
  type DecodeLimits,
  type MessageBounds,
} from './limits.js';
import type { Int64, Message, WireDetail } from './message.js';
import type { FieldType, MessageType, Schema } from './schema.js';

/** Lazy and unknown fields above this many bytes are left in the file. */
const eagerBytes = 1024;
/** A tag and a number, each of at most ten bytes. */
const headerBytes = 20;

type Decoded = Message & Record<string, unknown>;

/** A message that is being decoded. */
interface Frame {
  readonly message: Decoded;
  readonly type: MessageType;
  readonly end: number;
  /** Counts messages of the type where they are bounded. */
  readonly tally: Tally | undefined;
  /** Repeated float and double fields so far. */
  lists: Map<FieldType, FixedList> | undefined;
}

/** Messages of one kind so far, and those that are being decoded. */
interface Tally {
  readonly bounds: MessageBounds;
  count: number;
  open: number;
}

/**
 * Decodes one message that fills a file. It reads the file in windows of 64 KiB and skips what the
 * schema calls lazy and is larger than 1 KiB: those fields hold a `ByteHandle` of the range in
 * `source`. Unknown fields are kept, so that `encodeMessage` gives the bytes of every canonical
 * encoder back. Integers of 64 bits are numbers where that is exact, else bigints. Where a field
 * that is not repeated occurs twice the last one holds, and messages merge, as in every protobuf
 * reader. Errors: `protobuf/wire` with the byte offset; `core/limit` naming the limit. Nothing is
 * allocated from a length before it was checked against the file.
 */
export function decodeMessage<Messages, Name extends keyof Messages & string>(
  schema: Schema<Messages>,
  name: Name,
  source: ByteSource,
  limits: Partial<DecodeLimits> = {},
): Promise<Messages[Name]> {
  const decoder = new Decoder(source, { ...defaultLimits, ...limits });
  return decoder.decode(schema.type(name)) as Promise<Messages[Name]>;
}

class Decoder {
  readonly #window: ByteWindow;
  readonly #stack: Frame[] = [];
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #tallies: ReadonlyMap<string, Tally>;
  #messages = 0;

  constructor(
    readonly source: ByteSource,
    readonly limits: DecodeLimits,
  ) {
    this.#window = new ByteWindow(source);
    this.#tallies = new Map(
      [...limits.bounds].map(([name, bounds]) => [name, { bounds, count: 0, open: 0 }]),
    );
  }

  async decode(type: MessageType): Promise<Message> {
    const window = this.#window;
    const root: Decoded = {};
    this.#push(root, type, this.source.size);
    for (;;) {
      let frame = this.#stack.at(-1)!;
      while (window.offset === frame.end) {
        this.#finish(frame);
        const parent = this.#stack.at(-1);
        if (!parent) return root;
        frame = parent;
      }
      if (!window.has(headerBytes)) await window.fill(headerBytes);
      const start = window.offset;
      window.varint();
      const tag = window.lo;
      if (window.hi !== 0 || tag >>> 3 === 0) throw window.error('A tag names no field', start);
      const wireType = tag & 7;
      const field = frame.type.byNumber.get(tag >>> 3);
      if (wireType === 2) {
        const waiting = this.#block(frame, field, start);
        if (waiting) await waiting;
      } else if (wireType === 0 || wireType === 1 || wireType === 5) {
        const waiting = this.#number(frame, field, wireType, start);
        if (waiting) await waiting;
      } else
        throw window.error(
          wireType < 5 ? 'Groups are not read' : `Wire type ${wireType} does not exist`,
          start,
        );
    }
  }

  #push(message: Decoded, type: MessageType, end: number): void {
    const { limits, source } = this;
    const refuse = (bound: Bound, what: string) =>
      limitError(bound, what, source.name, this.#window.offset);
    if (this.#stack.length >= limits.maxDepth)
      throw refuse({ limit: 'maxDepth', most: limits.maxDepth }, 'The nesting of messages');
    if (++this.#messages > limits.maxMessages)
      throw refuse({ limit: 'maxMessages', most: limits.maxMessages }, 'The number of messages');
    const tally = this.#tallies.get(type.name);
    if (tally) {
      const { count, nesting } = tally.bounds;
      if (count && ++tally.count > count.most)
        throw refuse(count, `The number of messages ${type.name}`);
      if (nesting && tally.open++ > nesting.most)
        throw refuse(nesting, `The nesting of messages ${type.name}`);
    }
    this.#stack.push({ message, type, end, tally, lists: undefined });
  }

  #finish({ message, tally, lists }: Frame): void {
    for (const [field, list] of lists ?? []) message[field.name] = list.values();
    if (tally) tally.open--;
    this.#stack.pop();
  }

  /** A length-delimited field, its tag read. A promise where bytes have to be waited for. */
  #block(frame: Frame, field: FieldType | undefined, start: number): Promise<void> | undefined {
    const window = this.#window;
    window.varint();
    const length = window.hi * 2 ** 32 + window.lo;
    if (!(length <= frame.end - window.offset)) {
      throw window.error(
        `${field?.path ?? 'A field'} of ${length} bytes runs past the end of its message`,
        start,
      );
    }
    if (!field || (field.wireType !== 2 && !field.repeated))
      return this.#unknown(frame, start, window.offset + length);
    if (field.type) {
      this.#enter(frame, field, field.type, window.offset + length);
      return undefined;
    }
    const packed = field.wireType !== 2;
    if (
      field.lazy &&
      length > eagerBytes &&
      (!packed || frame.message[field.name] === undefined) &&
      !frame.lists?.has(field)
    ) {
      const left = ByteHandle.range(this.source, window.offset, length);
      if (packed) {
        frame.message[field.name] = left;
        noteForm(frame.message, field, true);
      } else this.#set(frame, field, left);
      window.skip(length);
      return undefined;
    }
    if (!packed && !field.lazy && length > this.limits.maxStringBytes) {
      throw limitError(
        { limit: 'maxStringBytes', most: this.limits.maxStringBytes },
        `${field.path} of ${length} bytes`,
        this.source.name,
        start,
      );
    }
    const end = window.offset + length;
    if (window.has(length) && !isLeft(frame.message[field.name])) {
      this.#take(frame, field, length, end);
      return undefined;
    }
    const before = packed ? this.#readBack(frame, field) : Promise.resolve();
    return before.then(() => window.fill(length)).then(() => this.#take(frame, field, length, end));
  }

  #enter(frame: Frame, field: FieldType, type: MessageType, end: number): void {
    const before = field.repeated ? undefined : (frame.message[field.name] as Decoded | undefined);
    const message = before ?? {};
    this.#push(message, type, end);
    // Only now, when the limits have been checked.
    if (!before) this.#set(frame, field, message);
  }

  /** A length-delimited value whose bytes are in the window. */
  #take(frame: Frame, field: FieldType, length: number, end: number): void {
    const window = this.#window;
    if (field.wireType !== 2) {
      if (length === 0) return;
      noteForm(frame.message, field, true);
      if (field.wireType === 0) {
        while (window.offset < end) {
          window.varint();
          this.#set(frame, field, integer(field, window.lo, window.hi));
        }
        if (window.offset > end) throw window.error(`${field.path} ends within a number`);
        return;
      }
      if (length % (field.wireType === 1 ? 8 : 4) !== 0)
        throw window.error(`${field.path} ends within a number`);
      if (isFloating(field)) this.#list(frame, field).append(window.take(length));
      else while (window.offset < end) this.#set(frame, field, fixedInteger(field, window));
      return;
    }
    const bytes = window.take(length);
    if (field.kind === 'bytes') this.#set(frame, field, new Uint8Array(bytes));
    else {
      let text: string;
      try {
        text = this.#text.decode(bytes);
      } catch {
        throw window.error(`${field.path} is not UTF-8`, end - length);
      }
      this.#set(frame, field, text);
    }
  }

  /** A varint, or a number of four or eight bytes. */
  #number(
    frame: Frame,
    field: FieldType | undefined,
    wireType: 0 | 1 | 5,
    start: number,
  ): Promise<void> | undefined {
    const window = this.#window;
    if (field && field.wireType === wireType && isLeft(frame.message[field.name])) {
      return this.#readBack(frame, field).then(() => this.#number(frame, field, wireType, start));
    }
    const from = window.at;
    if (wireType === 0) window.varint();
    else window.skip(wireType === 1 ? 8 : 4);
    if (window.offset > frame.end)
      throw window.error('A number runs past the end of its message', start);
    if (!field || field.wireType !== wireType) return this.#unknown(frame, start, window.offset);
    if (field.repeated) noteForm(frame.message, field, false);
    if (wireType === 0) this.#set(frame, field, integer(field, window.lo, window.hi));
    else if (!isFloating(field)) {
      window.skip(from - window.at);
      this.#set(frame, field, fixedInteger(field, window));
    } else if (field.repeated) this.#run(frame, field, from);
    else this.#single(frame, field, window.bytes.subarray(from, window.at));
    return undefined;
  }

  /** A float or double that is not repeated. */
  #single(frame: Frame, field: FieldType, bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const value = bytes.length === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
    this.#set(frame, field, value);
    const nan = frame.message.wire?.nan;
    if (nan) delete nan[field.number];
    if (bytes.length === 4 && Number.isNaN(value) && view.getUint32(0, true) !== 0x7fc00000) {
      const wire = wireOf(frame.message);
      (wire.nan ??= {})[field.number] = view.getUint32(0, true);
    }
  }

  /**
   * Unpacked floats or doubles, the first at `from` in the window, and those of the same tag that
   * follow it there.
   */
  #run(frame: Frame, field: FieldType, from: number): void {
    const window = this.#window;
    // Millions may follow. Longer tags, of fields from 16 on, are taken one at a time.
    const step = 1 + window.at - from;
    const stop = Math.min(window.bytes.length, window.at + frame.end - window.offset) - step;
    let count = 1;
    while (field.tag < 128 && window.at <= stop && window.bytes[window.at] === field.tag) {
      window.skip(step);
      count++;
    }
    this.#list(frame, field).appendApart(window.bytes, from, step, count);
  }

  #list(frame: Frame, field: FieldType): FixedList {
    const lists = (frame.lists ??= new Map<FieldType, FixedList>());
    let list = lists.get(field);
    if (!list) {
      list = new FixedList(field.wireType === 1 ? 8 : 4);
      const before = frame.message[field.name];
      if (ArrayBuffer.isView(before))
        list.append(new Uint8Array(before.buffer, before.byteOffset, before.byteLength));
      frame.message[field.name] = list;
      lists.set(field, list);
    }
    return list;
  }

  #set({ message }: Frame, field: FieldType, value: unknown): void {
    if (field.repeated) {
      const values = message[field.name] as unknown[] | undefined;
      if (values) values.push(value);
      else message[field.name] = [value];
      return;
    }
    message[field.name] = value;
    for (const rival of field.rivals) delete message[rival];
  }

  /**
   * Brings numbers that were left in the file into memory, because more of the same field follow.
   */
  async #readBack(frame: Frame, field: FieldType): Promise<void> {
    const window = this.#window;
    const left = frame.message[field.name];
    if (!isLeft(left)) return;
    const here = window.offset;
    const { offset } = left.origin;
    delete frame.message[field.name];
    window.seek(offset!);
    await window.fill(left.length);
    this.#take(frame, field, left.length, offset! + left.length);
    window.seek(here);
    await window.fill(headerBytes);
  }

  /** Keeps a field that the schema does not know, from its tag on. */
  #unknown(frame: Frame, start: number, end: number): Promise<void> | undefined {
    const window = this.#window;
    const unknown = (wireOf(frame.message).unknown ??= []);
    const length = end - start;
    window.seek(start);
    if (length > eagerBytes) {
      unknown.push(ByteHandle.range(this.source, start, length));
      window.skip(length);
    } else if (window.has(length)) unknown.push(new Uint8Array(window.take(length)));
    else
      return window.fill(length).then(() => void unknown.push(new Uint8Array(window.take(length))));
    return undefined;
  }
}

function wireOf(message: Message): WireDetail {
  return (message.wire ??= {});
}

/** Remembers that a repeated field was not in the form that the schema declares. */
function noteForm(message: Message, field: FieldType, packed: boolean): void {
  if (packed === (field.packed === true)) return;
  const repacked = (wireOf(message).repacked ??= []);
  if (!repacked.includes(field.number)) repacked.push(field.number);
}

/** Whether a field's content was left in the file. */
function isLeft(value: unknown): value is ByteHandle {
  return value instanceof ByteHandle;
}

function isFloating({ kind }: FieldType): boolean {
  return kind === 'float' || kind === 'double';
}

/** The value of a varint. */
function integer({ kind }: FieldType, lo: number, hi: number): Int64 | boolean {
  if (kind === 'int32' || kind === 'enum') return lo | 0;
  if (kind === 'uint32') return lo;
  if (kind === 'bool') return lo !== 0 || hi !== 0;
  // Zigzag: the sign is in the lowest bit.
  const sign = -(lo & 1);
  if (kind === 'sint32') return (lo >>> 1) ^ sign;
  if (kind === 'sint64') return exact((hi >>> 1) ^ sign, (((lo >>> 1) | (hi << 31)) ^ sign) >>> 0);
  return exact(kind === 'uint64' ? hi : hi | 0, lo);
}

/** The next integer of four or eight bytes, which are in the window. */
function fixedInteger({ kind, wireType }: FieldType, window: ByteWindow): Int64 {
  const bytes = window.take(wireType === 5 ? 4 : 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (wireType === 5) return kind === 'fixed32' ? view.getUint32(0, true) : view.getInt32(0, true);
  const high = kind === 'fixed64' ? view.getUint32(4, true) : view.getInt32(4, true);
  return exact(high, view.getUint32(0, true));
}

/** A 64-bit integer from its halves, of which the high one has the sign. */
function exact(high: number, lo: number): Int64 {
  const value = high * 2 ** 32 + lo;
  if (Number.isSafeInteger(value)) return value;
  return (BigInt(high) << 32n) | BigInt(lo);
}
