import { coreDiagnostics } from '@drover/core';
import { opcodeByte, type OpcodeName } from './opcodes.js';
import {
  LongText,
  PersistentId,
  PickleDict,
  PickleFloat,
  PickleGlobal,
  type PickleObject,
  PickleSequence,
  type PickleValue,
} from './pickle-value.js';

const protocol = 2;
/** Bytes of the longest integer whose length is one byte. */
const maxLongBytes = 255;

/**
 * Writes a value as a pickle of protocol 2, as PyTorch does, in opcodes that its loader of weights
 * takes alone. Bytes and sets are written as Python's pickler writes them, as calls. Throws
 * `core/not-writable` for text that is no Unicode, for integers of more than 255 bytes and for
 * objects that are called with keywords. Memory: the pickle.
 * @see https://github.com/pytorch/pytorch/blob/v2.9.0/torch/_weights_only_unpickler.py
 */
export function encodePickle(value: PickleValue): Uint8Array {
  const writer = new PickleWriter();
  writer.op('PROTO', protocol);
  writer.value(value);
  writer.op('STOP');
  return writer.bytes;
}

const notWritable = (message: string) =>
  coreDiagnostics.error('not-writable', { message, origin: { file: '' } });

class PickleWriter {
  #bytes = new Uint8Array(4096);
  #length = 0;
  /** Places in the memo of the names that were written. */
  readonly #globals = new Map<string, number>();

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** An opcode, with an argument of one byte where it has one. */
  op(name: OpcodeName, argument?: number): void {
    this.#room(2);
    this.#bytes[this.#length++] = opcodeByte(name);
    if (argument !== undefined) this.#bytes[this.#length++] = argument;
  }

  value(value: PickleValue): void {
    if (value === null) this.op('NONE');
    else if (typeof value === 'boolean') this.op(value ? 'NEWTRUE' : 'NEWFALSE');
    else if (typeof value === 'number' || typeof value === 'bigint') this.#integer(BigInt(value));
    else if (typeof value === 'string') this.#text(value);
    else if (value instanceof PickleFloat) {
      this.op('BINFLOAT');
      this.#number(8, (view, at) => view.setFloat64(at, value.value, false));
    } else if (value instanceof LongText) this.#utf8(value.utf8);
    else if (value instanceof Uint8Array)
      this.#call(new PickleGlobal('_codecs', 'encode'), [latin1(value), 'latin1']);
    else if (value instanceof PickleSequence) this.#sequence(value);
    else if (value instanceof PickleDict) {
      this.op('EMPTY_DICT');
      this.#entries(value);
    } else if (value instanceof PickleGlobal) this.#global(value);
    else if (value instanceof PersistentId) {
      this.value(value.id);
      this.op('BINPERSID');
    } else this.#object(value);
  }

  #integer(value: bigint): void {
    if (value >= 0n && value < 2n ** 8n) this.op('BININT1', Number(value));
    else if (value >= 0n && value < 2n ** 16n) {
      this.op('BININT2');
      this.#number(2, (view, at) => view.setUint16(at, Number(value), true));
    } else if (BigInt.asIntN(32, value) === value) {
      this.op('BININT');
      this.#number(4, (view, at) => view.setInt32(at, Number(value), true));
    } else {
      const bytes = littleEndian(value);
      if (bytes.length > maxLongBytes)
        throw notWritable(
          `An integer has ${bytes.length} bytes, and PyTorch reads ${maxLongBytes}.`,
        );
      this.op('LONG1', bytes.length);
      this.#put(bytes);
    }
  }

  #text(text: string): void {
    if (/\p{Surrogate}/u.test(text))
      throw notWritable(`${JSON.stringify(text)} is no valid Unicode.`);
    this.#utf8(new TextEncoder().encode(text));
  }

  #utf8(bytes: Uint8Array): void {
    this.op('BINUNICODE');
    this.#number(4, (view, at) => view.setUint32(at, bytes.length, true));
    this.#put(bytes);
  }

  #sequence({ kind, items }: PickleSequence): void {
    if (kind === 'list') {
      this.op('EMPTY_LIST');
      this.#items(items);
    } else if (kind === 'tuple') this.#tuple(items);
    else this.#call(new PickleGlobal('__builtin__', kind), [new PickleSequence('list', items)]);
  }

  #tuple(items: readonly PickleValue[]): void {
    const short = (['EMPTY_TUPLE', 'TUPLE1', 'TUPLE2', 'TUPLE3'] as const)[items.length];
    if (short === undefined) this.op('MARK');
    for (const item of items) this.value(item);
    this.op(short ?? 'TUPLE');
  }

  #items(items: readonly PickleValue[]): void {
    if (items.length === 0) return;
    this.op('MARK');
    for (const item of items) this.value(item);
    this.op('APPENDS');
  }

  #entries(entries: PickleDict): void {
    if (entries.size === 0) return;
    this.op('MARK');
    for (const [key, value] of entries.entries()) {
      this.value(key);
      this.value(value);
    }
    this.op('SETITEMS');
  }

  #global(global: PickleGlobal): void {
    const known = this.#globals.get(global.path);
    if (known !== undefined) {
      this.op('LONG_BINGET');
      this.#number(4, (view, at) => view.setUint32(at, known, true));
      return;
    }
    const place = this.#globals.size;
    this.#globals.set(global.path, place);
    this.op('GLOBAL');
    this.#put(new TextEncoder().encode(`${global.module}\n${global.name}\n`));
    this.op('LONG_BINPUT');
    this.#number(4, (view, at) => view.setUint32(at, place, true));
  }

  #call(type: PickleGlobal, args: readonly PickleValue[]): void {
    this.#global(type);
    this.#tuple(args);
    this.op('REDUCE');
  }

  #object({ type, args, keywords, items, entries, state }: PickleObject): void {
    if (keywords) throw notWritable(`${type.path} is called with keywords.`);
    this.#call(type, args);
    this.#items(items);
    this.#entries(entries);
    if (state === undefined) return;
    this.value(state);
    this.op('BUILD');
  }

  #number(width: number, set: (view: DataView, at: number) => void): void {
    this.#room(width);
    set(new DataView(this.#bytes.buffer), this.#length);
    this.#length += width;
  }

  #put(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * (this.#length + bytes));
    grown.set(this.bytes);
    this.#bytes = grown;
  }
}

/** An integer in two's complement, in as many bytes as it needs. */
function littleEndian(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (let left = value; ; left >>= 8n) {
    bytes.push(Number(BigInt.asUintN(8, left)));
    const isNegative = bytes.at(-1)! >= 0x80;
    if (left >> 8n === 0n ? !isNegative : left >> 8n === -1n && isNegative)
      return Uint8Array.from(bytes);
  }
}

/** Text of which each letter is one byte. */
function latin1(bytes: Uint8Array): LongText {
  const utf8: number[] = [];
  for (const byte of bytes)
    if (byte < 0x80) utf8.push(byte);
    else utf8.push(0xc0 | (byte >> 6), 0x80 | (byte & 63));
  return new LongText(Uint8Array.from(utf8));
}
