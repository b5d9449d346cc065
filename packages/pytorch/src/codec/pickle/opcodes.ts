/**
 * What follows an opcode: nothing, a number of so many bytes, a float of 8 bytes, one or two lines
 * of text, or bytes behind their length in 1, 4 or 8 bytes.
 */
type OpcodeArgument = 'none' | 'u1' | 'u2' | 'u4' | 'i4' | 'u8' | 'f8' | OpcodeText;
type OpcodeText = 'line' | 'two-lines' | 'bytes1' | 'bytes4' | 'bytes8';

/** What an opcode does to the stack. */
export interface Opcode {
  readonly name: OpcodeName;
  readonly argument: OpcodeArgument;
  /** Operands that it takes; `mark`: all of them down to the last mark, and the mark. */
  readonly takes: number | 'mark';
  /** Operands below those that it needs and leaves. */
  readonly needs: number;
  readonly gives: 0 | 1;
}

type Row = readonly [
  code: number,
  Opcode['argument'],
  takes: number | 'mark',
  gives: 0 | 1,
  needs?: number,
];

/**
 * Every opcode of the protocols 0 to 5.
 * @see https://github.com/python/cpython/blob/3.14/Lib/pickletools.py
 */
// prettier-ignore
const rows = {
  // Protocol 0.
  MARK: [0x28, 'none', 0, 0], STOP: [0x2e, 'none', 1, 0], POP: [0x30, 'none', 1, 0],
  POP_MARK: [0x31, 'none', 'mark', 0], DUP: [0x32, 'none', 0, 1, 1],
  FLOAT: [0x46, 'line', 0, 1], INT: [0x49, 'line', 0, 1], LONG: [0x4c, 'line', 0, 1],
  NONE: [0x4e, 'none', 0, 1], PERSID: [0x50, 'line', 0, 1], REDUCE: [0x52, 'none', 2, 1],
  STRING: [0x53, 'line', 0, 1], UNICODE: [0x56, 'line', 0, 1], APPEND: [0x61, 'none', 1, 0, 1],
  BUILD: [0x62, 'none', 1, 0, 1], GLOBAL: [0x63, 'two-lines', 0, 1], DICT: [0x64, 'none', 'mark', 1],
  GET: [0x67, 'line', 0, 1], INST: [0x69, 'two-lines', 'mark', 1], LIST: [0x6c, 'none', 'mark', 1],
  PUT: [0x70, 'line', 0, 0, 1], SETITEM: [0x73, 'none', 2, 0, 1], TUPLE: [0x74, 'none', 'mark', 1],
  // Protocol 1.
  BINFLOAT: [0x47, 'f8', 0, 1], BININT: [0x4a, 'i4', 0, 1], BININT1: [0x4b, 'u1', 0, 1],
  BININT2: [0x4d, 'u2', 0, 1], BINPERSID: [0x51, 'none', 1, 1], BINSTRING: [0x54, 'bytes4', 0, 1],
  SHORT_BINSTRING: [0x55, 'bytes1', 0, 1], BINUNICODE: [0x58, 'bytes4', 0, 1],
  EMPTY_LIST: [0x5d, 'none', 0, 1], APPENDS: [0x65, 'none', 'mark', 0, 1],
  BINGET: [0x68, 'u1', 0, 1], LONG_BINGET: [0x6a, 'u4', 0, 1], OBJ: [0x6f, 'none', 'mark', 1],
  BINPUT: [0x71, 'u1', 0, 0, 1], LONG_BINPUT: [0x72, 'u4', 0, 0, 1],
  SETITEMS: [0x75, 'none', 'mark', 0, 1], EMPTY_DICT: [0x7d, 'none', 0, 1],
  EMPTY_TUPLE: [0x29, 'none', 0, 1],
  // Protocol 2.
  PROTO: [0x80, 'u1', 0, 0], NEWOBJ: [0x81, 'none', 2, 1], EXT1: [0x82, 'u1', 0, 1],
  EXT2: [0x83, 'u2', 0, 1], EXT4: [0x84, 'i4', 0, 1], TUPLE1: [0x85, 'none', 1, 1],
  TUPLE2: [0x86, 'none', 2, 1], TUPLE3: [0x87, 'none', 3, 1], NEWTRUE: [0x88, 'none', 0, 1],
  NEWFALSE: [0x89, 'none', 0, 1], LONG1: [0x8a, 'bytes1', 0, 1], LONG4: [0x8b, 'bytes4', 0, 1],
  // Protocol 3.
  BINBYTES: [0x42, 'bytes4', 0, 1], SHORT_BINBYTES: [0x43, 'bytes1', 0, 1],
  // Protocol 4.
  SHORT_BINUNICODE: [0x8c, 'bytes1', 0, 1], BINUNICODE8: [0x8d, 'bytes8', 0, 1],
  BINBYTES8: [0x8e, 'bytes8', 0, 1], EMPTY_SET: [0x8f, 'none', 0, 1],
  ADDITEMS: [0x90, 'none', 'mark', 0, 1], FROZENSET: [0x91, 'none', 'mark', 1],
  NEWOBJ_EX: [0x92, 'none', 3, 1], STACK_GLOBAL: [0x93, 'none', 2, 1],
  MEMOIZE: [0x94, 'none', 0, 0, 1], FRAME: [0x95, 'u8', 0, 0],
  // Protocol 5.
  BYTEARRAY8: [0x96, 'bytes8', 0, 1], NEXT_BUFFER: [0x97, 'none', 0, 1],
  READONLY_BUFFER: [0x98, 'none', 1, 1],
} as const satisfies Record<string, Row>;

/** Name of an opcode, as Python's pickletools spells it. */
export type OpcodeName = keyof typeof rows;

/** The byte of an opcode. */
export const opcodeByte = (name: OpcodeName): number => rows[name][0];

/** The opcodes by their byte. */
export const opcodes: ReadonlyMap<number, Opcode> = new Map(
  (Object.entries(rows) as [OpcodeName, Row][]).map(
    ([name, [code, argument, takes, gives, needs = 0]]) => [
      code,
      { name, argument, takes, gives, needs },
    ],
  ),
);
