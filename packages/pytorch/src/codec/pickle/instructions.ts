import { opcodes, type Opcode } from './opcodes.js';
import { broken, type PickleStream } from './pickle-stream.js';

/** One opcode of a stream, and where its argument stands. */
export interface Instruction {
  readonly opcode: Opcode;
  /** Where the opcode stands. */
  readonly at: number;
  /** Its argument without a length before it or the end of a line behind it. */
  readonly start: number;
  readonly end: number;
  /** Where the second of two lines begins. */
  readonly second: number;
  /** Where the next opcode stands. */
  readonly next: number;
}

const widths = { none: 0, u1: 1, u2: 2, u4: 4, i4: 4, u8: 8, f8: 8 } as const;
const lengthBytes = { bytes1: 1, bytes4: 4, bytes8: 8 } as const;
const newline = 0x0a;

/**
 * The instruction at a place of a stream; undefined where the stream ends within it. Nothing but
 * lengths and ends of lines is looked at. Throws `pytorch/pickle` for an unknown opcode.
 */
export function instructionAt(stream: PickleStream, at: number): Instruction | undefined {
  const { bytes } = stream;
  if (at >= bytes.length) return undefined;
  const opcode = opcodes.get(bytes[at]!);
  if (opcode === undefined)
    throw broken(stream, at, `0x${bytes[at]!.toString(16).padStart(2, '0')} is no opcode`);
  const { argument } = opcode;
  const after = at + 1;
  if (argument === 'line' || argument === 'two-lines') {
    const end = bytes.indexOf(newline, after);
    if (end < 0) return undefined;
    if (argument === 'line') return { opcode, at, start: after, end, second: end, next: end + 1 };
    const last = bytes.indexOf(newline, end + 1);
    if (last < 0) return undefined;
    return { opcode, at, start: after, end: last, second: end + 1, next: last + 1 };
  }
  if (argument === 'bytes1' || argument === 'bytes4' || argument === 'bytes8') {
    const start = after + lengthBytes[argument];
    if (start > bytes.length) return undefined;
    const length = numberOf(bytes, after, start);
    if (start + length > bytes.length) return undefined;
    return { opcode, at, start, end: start + length, second: start, next: start + length };
  }
  const end = after + widths[argument];
  return end > bytes.length ? undefined : { opcode, at, start: after, end, second: end, next: end };
}

/** An unsigned little-endian number of up to 8 bytes; beyond 2^53 it is only about right. */
function numberOf(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = end - 1; at >= start; at--) value = value * 256 + bytes[at]!;
  return value;
}

/**
 * The place of the memo that an instruction keeps in or takes from; undefined where it has no
 * number.
 */
export function memoIndex({ opcode, start, end }: Instruction, bytes: Uint8Array) {
  if (opcode.argument !== 'line') return numberOf(bytes, start, end);
  const text = new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 20)));
  return /^\d{1,15}\r?$/.test(text) ? Number.parseInt(text, 10) : undefined;
}
