import type { JsonCursor, JsonValue } from '@drover/core/format';
import { dataTypeOfNumber, isDataType, type DataType } from './data-type.js';
import type { ByteString, Int64 } from './graph-def.js';

/** int64 and uint64 are decimal text in protobuf's JSON; plain integers are read too. */
export function decodeInt64(json: JsonCursor): Int64 {
  if (typeof json.value === 'number') return json.integer();
  const text = json.string();
  if (!/^-?\d{1,20}$/.test(text)) throw json.error('is not a 64-bit integer');
  const value = BigInt(text);
  if (value < -(2n ** 63n) || value >= 2n ** 64n) throw json.error('is not a 64-bit integer');
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** int32 and uint32 are numbers; text is read too. */
export function decodeInt32(json: JsonCursor): number {
  const value = decodeInt64(json);
  if (typeof value === 'bigint' || value < -(2 ** 31) || value >= 2 ** 32)
    throw json.error('is not a 32-bit integer');
  return value;
}

/** A double; `NaN` and infinities are text. */
export function decodeDouble(json: JsonCursor): number {
  if (typeof json.value === 'number') return json.value;
  const special = new Map([
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
  ]).get(json.string());
  const value = special ?? (json.string().trim() === '' ? NaN : Number(json.string()));
  if (special === undefined && Number.isNaN(value)) throw json.error('is not a number');
  return value;
}

/** A float32 as the exact value that its decimal text stands for. */
export function decodeFloat(json: JsonCursor): number {
  return Math.fround(decodeDouble(json));
}

/** A double; what JSON has no number for is text. */
export function encodeDouble(value: number): JsonValue {
  return Number.isFinite(value)
    ? value
    : Number.isNaN(value)
      ? 'NaN'
      : value > 0
        ? 'Infinity'
        : '-Infinity';
}

/**
 * A float32 in the fewest digits, 6 at least, that give it back: as protobuf's ToShortestFloat
 * prints it.
 */
export function encodeFloat(value: number): JsonValue {
  if (!Number.isFinite(value)) return encodeDouble(value);
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

/** An element type by name or number. */
export function decodeDataType(json: JsonCursor): DataType {
  const name = typeof json.value === 'number' ? dataTypeOfNumber(json.integer()) : json.string();
  if (name === undefined || !isDataType(name)) throw json.error('is not a data type');
  return name;
}

/** Bytes are base64 text (either alphabet); TF.js also accepts a list of numbers. */
export function decodeBytes(json: JsonCursor): Uint8Array {
  if (json.isArray) {
    return Uint8Array.from(
      json.items().map((item) => {
        if (item.integer(0) > 255) throw item.error('is not a byte');
        return item.integer();
      }),
    );
  }
  try {
    return Uint8Array.from(atob(json.string().replaceAll('-', '+').replaceAll('_', '/')), (c) =>
      c.charCodeAt(0),
    );
  } catch (error) {
    if (error instanceof DOMException || (error as Error).name === 'InvalidCharacterError')
      throw json.error('is not base64');
    throw error;
  }
}

/** Bytes, as text when they are UTF-8. */
export function decodeByteString(json: JsonCursor): ByteString {
  const bytes = decodeBytes(json);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}

/** Base64 of bytes or of the UTF-8 of a text. */
export function encodeBytes(value: ByteString): string {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  let text = '';
  // In pieces: an engine takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 4096)
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return btoa(text);
}
