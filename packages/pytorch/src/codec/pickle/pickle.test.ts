import { DroverError } from '@drover/core';
import { opcodes, type OpcodeName } from './opcodes.js';
import { pickleLimits, type PickleLimits } from './pickle-stream.js';
import {
  LongText,
  PersistentId,
  PickleDict,
  PickleFloat,
  PickleGlobal,
  PickleObject,
  PickleSequence,
  type PickleValue,
} from './pickle-value.js';
import { scanPickle } from './scan-pickle.js';
import { unpickle } from './unpickle.js';

/** Bytes of a text in which each letter is one. */
const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const stream = (text: string) => ({ bytes: bytes(text), name: 'p', file: 'p', offset: 0 });
const read = (text: string, limits: Partial<PickleLimits> = {}) =>
  unpickle(stream(text), {
    limits: { ...pickleLimits, ...limits },
    persistent: (id) => new PersistentId(id),
  });
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof DroverError) return error.diagnostics[0]!.code;
    throw error;
  }
  return 'none';
};

/** A value as plain data, so that it can be compared and read. */
function plain(value: PickleValue): unknown {
  if (value instanceof PickleSequence) return { [value.kind]: value.items.map(plain) };
  if (value instanceof PickleDict)
    return { dict: Array.from(value.entries(), ([key, each]) => [plain(key), plain(each)]) };
  if (value instanceof PickleGlobal) return { global: value.path };
  if (value instanceof PersistentId) return { persistent: plain(value.id) };
  if (value instanceof PickleFloat) return { float: value.value };
  if (value instanceof LongText) return { long: value.utf8.length };
  if (!(value instanceof PickleObject)) return value instanceof Uint8Array ? [...value] : value;
  return {
    type: value.type.path,
    args: value.args.map(plain),
    ...(value.keywords && { keywords: plain(value.keywords) }),
    ...(value.state !== undefined && { state: plain(value.state) }),
    ...(value.items.length > 0 && { items: value.items.map(plain) }),
    ...(value.entries.size > 0 && { entries: plain(value.entries) }),
  };
}

const float = '\x3f\xf8\0\0\0\0\0\0'; // 1.5, the most significant byte first
/** What Python's own unpickler makes of each opcode, with classes and calls described. */
const cases: readonly (readonly [OpcodeName, string, unknown])[] = [
  ['MARK', '(t.', { tuple: [] }],
  ['STOP', 'N.', null],
  ['POP', 'NK\x010.', null],
  ['POP', 'N(0.', null],
  ['POP_MARK', 'N(K\x01K\x021.', null],
  ['DUP', 'K\x022\x86.', { tuple: [2, 2] }],
  ['FLOAT', 'F-1.5e3\n.', { float: -1500 }],
  ['FLOAT', 'Finf\n.', { float: Infinity }],
  ['FLOAT', 'F-inf\n.', { float: -Infinity }],
  ['FLOAT', 'Fnan\n.', { float: Number.NaN }],
  ['INT', 'I-12\n.', -12],
  ['INT', 'I01\n.', true],
  ['INT', 'I00\n.', false],
  ['LONG', 'L-123L\n.', -123],
  ['LONG', 'L123456789012345678901234567890L\n.', 123456789012345678901234567890n],
  ['NONE', 'N.', null],
  ['PERSID', 'Pabc\n.', { persistent: 'abc' }],
  ['REDUCE', 'cm\nC\n(K\x01tR.', { type: 'm.C', args: [1] }],
  ['STRING', "S'a\\'b\\n\\x41\\101\\\\'\n.", "a'b\nAA\\"],
  ['STRING', 'S"\\xff"\n.', [255]],
  ['UNICODE', 'Va\\u00e9\\U0001f600\xe9\n.', 'aé😀é'],
  ['APPEND', ']K\x01a.', { list: [1] }],
  ['BUILD', 'cm\nC\n)R}b.', { type: 'm.C', args: [], state: { dict: [] } }],
  ['GLOBAL', 'cm.n\nC\n.', { global: 'm.n.C' }],
  ['DICT', '(K\x01K\x02d.', { dict: [[1, 2]] }],
  ['GET', 'K\x05p7\n0g7\n.', 5],
  ['INST', '(K\x01im\nC\n.', { type: 'm.C', args: [1] }],
  ['LIST', '(K\x01K\x02l.', { list: [1, 2] }],
  ['PUT', 'Np3\n.', null],
  ['SETITEM', '}K\x01K\x02s.', { dict: [[1, 2]] }],
  ['TUPLE', '(K\x01K\x02t.', { tuple: [1, 2] }],
  ['BINFLOAT', `G${float}.`, { float: 1.5 }],
  ['BININT', 'J\xfe\xff\xff\xff.', -2],
  ['BININT1', 'K\xff.', 255],
  ['BININT2', 'M\x01\x02.', 513],
  ['BINPERSID', 'K\x01Q.', { persistent: 1 }],
  ['BINSTRING', 'T\x02\0\0\0ab.', 'ab'],
  ['SHORT_BINSTRING', 'U\x02ab.', 'ab'],
  ['BINUNICODE', 'X\x02\0\0\0\xc3\xa9.', 'é'],
  ['EMPTY_LIST', '].', { list: [] }],
  ['APPENDS', '](K\x01K\x02e.', { list: [1, 2] }],
  ['APPENDS', 'cm\nC\n)R(K\x01e.', { type: 'm.C', args: [], items: [1] }],
  ['BINGET', 'K\x05q\x070h\x07.', 5],
  ['LONG_BINGET', 'K\x05r\0\0\0\x010j\0\0\0\x01.', 5],
  ['OBJ', '(cm\nC\nK\x01o.', { type: 'm.C', args: [1] }],
  ['BINPUT', 'Nq\0.', null],
  ['LONG_BINPUT', 'Nr\0\0\0\0.', null],
  ['SETITEMS', '}(K\x01K\x02u.', { dict: [[1, 2]] }],
  ['SETITEMS', 'cm\nC\n)R(K\x01K\x02u.', { type: 'm.C', args: [], entries: { dict: [[1, 2]] } }],
  ['EMPTY_DICT', '}.', { dict: [] }],
  ['EMPTY_TUPLE', ').', { tuple: [] }],
  ['PROTO', '\x80\x05N.', null],
  ['NEWOBJ', 'cm\nC\n)\x81.', { type: 'm.C', args: [] }],
  ['TUPLE1', 'N\x85.', { tuple: [null] }],
  ['TUPLE2', 'NN\x86.', { tuple: [null, null] }],
  ['TUPLE3', 'K\x01K\x02K\x03\x87.', { tuple: [1, 2, 3] }],
  ['NEWTRUE', '\x88.', true],
  ['NEWFALSE', '\x89.', false],
  ['LONG1', '\x8a\x00.', 0],
  ['LONG1', '\x8a\x01\xff.', -1],
  ['LONG1', `\x8a\x09${'\0'.repeat(8)}\x01.`, 2n ** 64n],
  ['LONG4', '\x8b\x02\0\0\0\x00\x80.', -32768],
  ['BINBYTES', 'B\x02\0\0\0\x01\xff.', [1, 255]],
  ['SHORT_BINBYTES', 'C\x02\x01\xff.', [1, 255]],
  ['SHORT_BINUNICODE', '\x8c\x02ab.', 'ab'],
  ['BINUNICODE8', '\x8d\x02\0\0\0\0\0\0\0ab.', 'ab'],
  ['BINBYTES8', '\x8e\x01\0\0\0\0\0\0\0\x07.', [7]],
  ['EMPTY_SET', '\x8f.', { set: [] }],
  ['ADDITEMS', '\x8f(K\x01\x90.', { set: [1] }],
  ['FROZENSET', '(K\x01\x91.', { frozenset: [1] }],
  ['NEWOBJ_EX', 'cm\nC\n)}\x92.', { type: 'm.C', args: [], keywords: { dict: [] } }],
  ['STACK_GLOBAL', '\x8c\x01m\x8c\x01C\x93.', { global: 'm.C' }],
  ['MEMOIZE', 'K\x05\x940h\0.', 5],
  ['FRAME', '\x80\x04\x95\x02\0\0\0\0\0\0\0N.', null],
  ['BYTEARRAY8', '\x96\x01\0\0\0\0\0\0\0\x07.', [7]],
];

test.each(cases)('%s: %j', (_, pickle, expected) => {
  const found = read(pickle)!;
  expect(found.unsafe).toEqual([]);
  expect(plain(found.value)).toEqual(expected);
  expect(found.end).toBe(pickle.length);
});

test('every opcode of Python has a case, is refused, or asks for what is not in a file', () => {
  const others: readonly OpcodeName[] = ['EXT1', 'EXT2', 'EXT4', 'NEXT_BUFFER', 'READONLY_BUFFER'];
  const tested = new Set([...cases.map(([name]) => name), ...others]);
  expect([...opcodes.values()].map(({ name }) => name).filter((name) => !tested.has(name))).toEqual(
    [],
  );
  expect(opcodes.size).toBe(68);
  expect(codeOf(() => read('\x97.'))).toBe('pytorch/pickle');
  expect(codeOf(() => read('N\x98.'))).toBe('pytorch/pickle');
});

test.each(cases)('%s: a stream that ends early has no value', (_, pickle) => {
  for (let length = 0; length < pickle.length; length++)
    expect(scanPickle(stream(pickle.slice(0, length)), pickleLimits)).toBeUndefined();
});

test.each([
  ['no opcode', '\xff.'],
  ['a protocol to come', '\x80\x06N.'],
  ['no operand', 'R.'],
  ['nothing to stop with', '.'],
  ['no mark', 'Nt.'],
  ['an operand behind a mark', 'N(R.'],
  ['a key without a value', '}(K\x01u.'],
  ['a key without a value', '(K\x01d.'],
  ['a memo miss', 'h\0.'],
  ['a memo miss', 'Np1\ng2\n.'],
  ['a memo index that is no number', 'Np-1\n.'],
  ['no class', '(o.'],
  ['no names', 'NN\x93.'],
  ['arguments that are no tuple', 'cm\nC\nNR.'],
  ['keywords that are no dict', 'cm\nC\n)N\x92.'],
  ['nothing to append to', 'NNa.'],
  ['nothing to put into', ']NNs.'],
  ['nothing to add to', '](N\x90.'],
  ['nothing to give a state to', '}}b.'],
  ['no integer', 'Iabc\n.'],
  ['no float', 'F1,5\n.'],
  ['no quotes', 'Sabc\n.'],
  ['no UTF-8', 'X\x01\0\0\0\xff.'],
])('damaged: %s (%j)', (_, pickle) => {
  expect(codeOf(() => read(pickle))).toBe('pytorch/pickle');
});

test('limits hold before anything is made', () => {
  expect(codeOf(() => read(`${'N0'.repeat(4)}N.`, { maxOpcodes: 9 }))).toBe('core/limit');
  expect(codeOf(() => read(`${']'.repeat(200_000)}.`, { maxOpcodes: 100_000 }))).toBe('core/limit');
  expect(codeOf(() => read(`V${'a'.repeat(11)}\n.`, { maxTextBytes: 10 }))).toBe('core/limit');
  expect(codeOf(() => read(`L${'1'.repeat(5000)}\n.`))).toBe('core/limit');
  expect(codeOf(() => read(`L${'1'.repeat(4096)}\n.`))).toBe('none');
  expect(codeOf(() => read(`\x8b\x01\x20\0\0${'\0'.repeat(0x2001)}.`))).toBe('core/limit');
  // A text that only stands for bytes may be longer: it is not made one.
  expect(plain(read('X\x03\0\0\0abc.', { maxTextBytes: 2 })!.value)).toEqual({ long: 3 });
  // A length of 2^40 is beyond the end, whatever follows.
  expect(read('\x8d\0\0\0\0\0\x01\0\0abc.')).toBeUndefined();
});

test('keys are told apart as Python does, and none reaches a prototype', () => {
  const dict = read('}(\x88K\x01K\x01K\x02X\x09\0\0\0__proto__K\x03X\x01\0\0\x001K\x04u.')!.value;
  expect(plain(dict)).toEqual({
    dict: [
      [true, 2],
      ['__proto__', 3],
      ['1', 4],
    ],
  });
  expect(({} as Record<string, unknown>)['3']).toBeUndefined();
});

test('a list that holds itself is one', () => {
  const list = read(']q\0h\0a.')!.value as PickleSequence;
  expect(list.items[0]).toBe(list);
});
