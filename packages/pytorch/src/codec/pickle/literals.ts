import { beyond, broken, type PickleStream } from './pickle-stream.js';
import type { Instruction } from './instructions.js';
import { LongText, PickleFloat, type PickleValue } from './pickle-value.js';

/** Decimal digits of the longest integer in text form: Python's own limit. */
const maxDigits = 4300;

const latin1 = (bytes: Uint8Array) => {
  // TextDecoder's latin1 is windows-1252.
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
};

/** The UTF-8 text at a place of a stream, without what ends its line. Throws `pytorch/pickle`. */
export function stringOf(stream: PickleStream, start: number, end: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      stream.bytes.subarray(start, end),
    );
  } catch {
    throw broken(stream, start, 'A text is not UTF-8');
  }
}

/**
 * What an opcode that holds a value itself stands for; undefined for all others. Texts of Python 2
 * are UTF-8 where they can be, as torch.load takes them, and else bytes. Throws `pytorch/pickle`
 * and `core/limit`.
 */
export function readLiteral(
  stream: PickleStream,
  { opcode, at, start, end }: Instruction,
  maxTextBytes: number,
): PickleValue | undefined {
  const bytes = stream.bytes.subarray(start, end);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (opcode.name) {
    case 'NONE':
      return null;
    case 'NEWTRUE':
      return true;
    case 'NEWFALSE':
      return false;
    case 'BININT':
      return view.getInt32(0, true);
    case 'BININT1':
      return bytes[0]!;
    case 'BININT2':
      return view.getUint16(0, true);
    case 'BINFLOAT':
      return new PickleFloat(view.getFloat64(0, false));
    case 'LONG1':
    case 'LONG4':
      return exactly(littleEndian(bytes));
    case 'BINUNICODE':
    case 'SHORT_BINUNICODE':
    case 'BINUNICODE8':
      if (bytes.length > maxTextBytes) return new LongText(bytes);
      return stringOf(stream, start, end);
    case 'BINBYTES':
    case 'SHORT_BINBYTES':
    case 'BINBYTES8':
    case 'BYTEARRAY8':
      return bytes;
    case 'BINSTRING':
    case 'SHORT_BINSTRING':
      if (bytes.length > maxTextBytes) return bytes;
      return textOrBytes(bytes);
    case 'INT':
    case 'LONG':
    case 'FLOAT':
    case 'STRING':
    case 'UNICODE':
      return fromLine(stream, at, opcode.name, latin1(bytes).replace(/\r$/, ''));
    default:
      return undefined;
  }
}

function fromLine(stream: PickleStream, at: number, name: string, line: string): PickleValue {
  if (name === 'INT' && (line === '00' || line === '01')) return line === '01';
  if (name === 'INT' || name === 'LONG') {
    const digits = /^\s*([+-]?\d+)L?\s*$/.exec(line)?.[1];
    if (digits === undefined) throw broken(stream, at, `${name} has no integer`);
    if (digits.length > maxDigits)
      throw beyond(stream, at, `An integer has more than ${maxDigits} digits`);
    return exactly(BigInt(digits.replace(/^\+/, '')));
  }
  if (name === 'FLOAT') {
    const special = /^\s*([+-]?)(inf|infinity|nan)\s*$/i.exec(line);
    if (special) {
      const isNaN = special[2]!.toLowerCase() === 'nan';
      return new PickleFloat(isNaN ? Number.NaN : special[1] === '-' ? -Infinity : Infinity);
    }
    const value = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(line)
      ? Number(line)
      : undefined;
    if (value === undefined) throw broken(stream, at, 'FLOAT has no number');
    return new PickleFloat(value);
  }
  if (name === 'UNICODE') return unescaped(line, /\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g);
  const quoted = /^(['"])(.*)\1$/s.exec(line.trim());
  if (!quoted) throw broken(stream, at, 'STRING has no quotes');
  const text = unescaped(quoted[2]!, /\\(?:x([0-9a-f]{2})|([0-7]{1,3})|([^]))/gi, true);
  return textOrBytes(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}

const named: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['a', '\u0007'],
  ['b', '\b'],
  ['f', '\f'],
  ['v', '\v'],
  ['\n', ''],
]);

/** Escapes of Python's `repr` (octal and by letter where told), or of raw-unicode-escape. */
function unescaped(text: string, escape: RegExp, isRepr = false): string {
  return text.replace(escape, (whole, first?: string, second?: string, letter?: string) => {
    if (!isRepr) {
      const code = Number.parseInt(first ?? second!, 16);
      return code > 0x10ffff ? whole : String.fromCodePoint(code);
    }
    if (letter !== undefined)
      return (
        named.get(letter) ?? (letter === '\\' || letter === "'" || letter === '"' ? letter : whole)
      );
    return String.fromCharCode(Number.parseInt(first ?? second!, first ? 16 : 8) & 255);
  });
}

function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}

/** A number where it holds the integer exactly. */
function exactly(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A little-endian integer in two's complement. */
function littleEndian(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  let digits = '';
  for (let i = bytes.length - 1; i >= 0; i--) digits += bytes[i]!.toString(16).padStart(2, '0');
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${digits}`));
}
