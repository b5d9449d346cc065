/* eslint-disable drover/no-open-lookup -- fields go by the names of the generated schema */
import type { Source } from '@drover/core';
import { onnxDiagnostics } from '../diagnostics.js';
import type { Int64, Message, WireDetail } from '../schema/message.js';
import type { Messages, ModelProto } from '../schema/onnx.js';
import { ByteWindow } from './byte-window.js';
import { defaultLimits, limitError, type Limits } from './limits.js';
import { messageType, type FieldType, type MessageType } from './message-type.js';
import { FixedList } from './fixed-list.js';
import { isPayload, RangePayload } from './payload.js';

/** Elements of tensors and unknown fields above this many bytes are left in the file. */
const eagerBytes = 1024;
/** A tag and a number, each of at most ten bytes. */
const headerBytes = 20;

type Decoded = Message & Record<string, unknown>;

/** A message that is being decoded. */
interface Frame {
  readonly message: Decoded;
  readonly type: MessageType;
  readonly end: number;
  readonly subgraphDepth: number;
  /** Repeated float and double fields so far. */
  lists: Map<FieldType, FixedList> | undefined;
}

/**
 * Decodes one message that fills a file. It reads the file in windows of 64 KiB and skips the
 * elements of tensors that are larger than 1 KiB: those fields hold a `Payload`, which reads from
 * `source` when asked. Unknown fields are kept, so that `encodeMessage` gives the bytes of every
 * canonical encoder back. Integers of 64 bits are numbers where that is exact, else bigints. Where
 * a field that is not repeated occurs twice the last one holds, and messages merge, as in every
 * protobuf reader. Errors: `onnx/wire` with the byte offset; `core/limit` naming the limit. Nothing
 * is allocated from a length before it was checked against the file.
 */
export function decodeMessage<Name extends keyof Messages>(
  source: Source,
  name: Name,
  limits: Partial<Limits> = {},
): Promise<Messages[Name]> {
  return new Decoder(source, { ...defaultLimits, ...limits }).decode(messageType(name)) as Promise<
    Messages[Name]
  >;
}

/** Decodes a model; see {@link decodeMessage}. A file without a graph is `onnx/empty`. */
export async function decodeModel(
  source: Source,
  limits: Partial<Limits> = {},
): Promise<ModelProto> {
  const origin = { file: source.name };
  if (source.size === 0)
    throw onnxDiagnostics.error('empty', { message: `${source.name} is empty.`, origin });
  const model = await decodeMessage(source, 'ModelProto', limits);
  if (!model.graph)
    throw onnxDiagnostics.error('empty', { message: `${source.name} holds no graph.`, origin });
  return model;
}

class Decoder {
  readonly #window: ByteWindow;
  readonly #stack: Frame[] = [];
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #messages = 0;
  #nodes = 0;
  #tensors = 0;

  constructor(
    readonly source: Source,
    readonly limits: Limits,
  ) {
    this.#window = new ByteWindow(source);
  }

  async decode(type: MessageType): Promise<Message> {
    const window = this.#window;
    const root: Decoded = {};
    this.#push(root, type, this.source.size, 0);
    for (;;) {
      let frame = this.#stack.at(-1)!;
      while (window.offset === frame.end) {
        this.#finish(frame);
        this.#stack.pop();
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
      const field = frame.type.byNumber[tag >>> 3];
      if (wireType === 2) {
        const waiting = this.#block(frame, field, start);
        if (waiting) await waiting;
      } else if (wireType === 0 || wireType === 1 || wireType === 5) {
        const waiting = this.#number(frame, field, wireType, start);
        if (waiting) await waiting;
      } else
        throw window.error(
          wireType < 5 ? 'Groups, which ONNX never uses,' : `Wire type ${wireType} does not exist`,
          start,
        );
    }
  }

  #push(message: Decoded, type: MessageType, end: number, subgraphDepth: number): void {
    const { limits, source } = this;
    const at = this.#window.offset;
    if (this.#stack.length >= limits.maxDepth)
      throw limitError('maxDepth', limits, 'The nesting of messages', source.name, at);
    if (subgraphDepth > limits.maxSubgraphDepth)
      throw limitError('maxSubgraphDepth', limits, 'The nesting of graphs', source.name, at);
    if (++this.#messages > limits.maxMessages)
      throw limitError('maxMessages', limits, 'The number of messages', source.name, at);
    if (type.name === 'NodeProto' && ++this.#nodes > limits.maxNodes)
      throw limitError('maxNodes', limits, 'The number of nodes', source.name, at);
    if (type.name === 'TensorProto' && ++this.#tensors > limits.maxTensors) {
      throw limitError('maxTensors', limits, 'The number of tensors', source.name, at);
    }
    this.#stack.push({ message, type, end, subgraphDepth, lists: undefined });
  }

  #finish({ message, lists }: Frame): void {
    for (const [field, list] of lists ?? []) message[field.name] = list.values();
  }

  /** A length-delimited field, its tag read. A promise where bytes have to be waited for. */
  #block(frame: Frame, field: FieldType | undefined, start: number): Promise<void> | undefined {
    const window = this.#window;
    window.varint();
    const length = window.hi * 2 ** 32 + window.lo;
    if (!(length <= frame.end - window.offset)) {
      throw window.error(
        `${field ? `${frame.type.name}.${field.name}` : 'A field'} of ${length} bytes runs past the end of its message`,
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
      frame.message[field.name] = new RangePayload(this.source, window.offset, length);
      if (packed) noteForm(frame.message, field, true);
      window.skip(length);
      return undefined;
    }
    if (!packed && !field.lazy && length > this.limits.maxStringBytes) {
      throw limitError(
        'maxStringBytes',
        this.limits,
        `${frame.type.name}.${field.name} of ${length} bytes`,
        this.source.name,
        start,
      );
    }
    const end = window.offset + length;
    if (window.has(length) && !isPayload(frame.message[field.name])) {
      this.#take(frame, field, length, end);
      return undefined;
    }
    const before = packed ? this.#readBack(frame, field) : Promise.resolve();
    return before.then(() => window.fill(length)).then(() => this.#take(frame, field, length, end));
  }

  #enter(frame: Frame, field: FieldType, type: MessageType, end: number): void {
    const graph = type.name === 'GraphProto' && frame.type.name === 'AttributeProto' ? 1 : 0;
    const before = field.repeated ? undefined : (frame.message[field.name] as Decoded | undefined);
    const message = before ?? {};
    this.#push(message, type, end, frame.subgraphDepth + graph);
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
        if (window.offset > end)
          throw window.error(`${frame.type.name}.${field.name} ends within a number`);
        return;
      }
      if (length % (field.wireType === 1 ? 8 : 4) !== 0)
        throw window.error(`${frame.type.name}.${field.name} ends within a number`);
      this.#list(frame, field).append(window.take(length));
      return;
    }
    const bytes = window.take(length);
    if (field.kind === 'bytes') this.#set(frame, field, new Uint8Array(bytes));
    else {
      let text: string;
      try {
        text = this.#text.decode(bytes);
      } catch {
        throw window.error(`${frame.type.name}.${field.name} is not UTF-8`, end - length);
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
    if (field && field.wireType === wireType && isPayload(frame.message[field.name])) {
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
    else if (field.repeated) this.#run(frame, field, from);
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
    // Millions may follow; their tags have one byte, as the numbers of these fields are below 16.
    const step = 1 + window.at - from;
    const stop = Math.min(window.bytes.length, window.at + frame.end - window.offset) - step;
    let count = 1;
    for (; window.at <= stop && window.bytes[window.at] === field.tag; window.at += step) count++;
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
    if (!(left instanceof RangePayload)) return;
    const here = window.offset;
    delete frame.message[field.name];
    window.seek(left.offset);
    await window.fill(left.length);
    this.#take(frame, field, left.length, left.offset + left.length);
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
      unknown.push(new RangePayload(this.source, start, length));
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

/** The value of a varint. */
function integer(field: FieldType, lo: number, hi: number): Int64 {
  if (field.kind === 'int32' || field.kind === 'enum') return lo | 0;
  const high = field.kind === 'uint64' ? hi : hi | 0;
  const value = high * 2 ** 32 + lo;
  if (Number.isSafeInteger(value)) return value;
  return (BigInt(high) << 32n) | BigInt(lo);
}
