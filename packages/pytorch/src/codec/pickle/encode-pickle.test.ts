import { DroverError } from '@drover/core';
import { encodePickle } from './encode-pickle.js';
import { instructionAt } from './instructions.js';
import type { OpcodeName } from './opcodes.js';
import { pickleLimits } from './pickle-stream.js';
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
import { unpickle } from './unpickle.js';

const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes);
/** The pickle without its protocol and its end. */
const body = (value: PickleValue) => {
  const text = latin1(encodePickle(value));
  expect([text.slice(0, 2), text.at(-1)]).toEqual(['\x80\x02', '.']);
  return text.slice(2, -1);
};
const read = (bytes: Uint8Array) =>
  unpickle(
    { bytes, name: 'p', file: 'p', offset: 0 },
    { limits: pickleLimits, persistent: (id) => new PersistentId(id) },
  );
const dict = (...entries: readonly (readonly [PickleValue, PickleValue])[]) => {
  const made = new PickleDict();
  for (const [key, value] of entries) made.set(key, value);
  return made;
};
const list = (...items: readonly PickleValue[]) => new PickleSequence('list', items);
const tuple = (...items: readonly PickleValue[]) => new PickleSequence('tuple', items);

// What CPython 3.11 writes with protocol 2, without what it keeps in its memo.
test.each<readonly [PickleValue, string]>([
  [null, 'N'],
  [true, '\x88'],
  [false, '\x89'],
  [0, 'K\x00'],
  [255, 'K\xff'],
  [256, 'M\x00\x01'],
  [65535, 'M\xff\xff'],
  [65536, 'J\x00\x00\x01\x00'],
  [-1, 'J\xff\xff\xff\xff'],
  [-(2 ** 31), 'J\x00\x00\x00\x80'],
  [2 ** 31, '\x8a\x05\x00\x00\x00\x80\x00'],
  [-(2 ** 31) - 1, '\x8a\x05\xff\xff\xff\x7f\xff'],
  [2n ** 63n, '\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00'],
  [-(2n ** 63n), '\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80'],
  [new PickleFloat(1.5), 'G?\xf8\x00\x00\x00\x00\x00\x00'],
  [new PickleFloat(-0), 'G\x80\x00\x00\x00\x00\x00\x00\x00'],
  ['é', 'X\x02\x00\x00\x00\xc3\xa9'],
  [list(), ']'],
  [list(1, 2), '](K\x01K\x02e'],
  [tuple(), ')'],
  [tuple(1), 'K\x01\x85'],
  [tuple(1, 2), 'K\x01K\x02\x86'],
  [tuple(1, 2, 3), 'K\x01K\x02K\x03\x87'],
  [tuple(1, 2, 3, 4), '(K\x01K\x02K\x03K\x04t'],
  [dict(), '}'],
  [dict([1, null], ['a', true]), '}(K\x01NX\x01\x00\x00\x00a\x88u'],
])('%p is written as Python writes it', (value, expected) => {
  expect(body(value)).toBe(expected);
});

const ordered = new PickleObject(new PickleGlobal('collections', 'OrderedDict'), []);
ordered.entries.set('a', list(new PickleFloat(0.5)));
ordered.state = dict(['_metadata', dict(['', dict(['version', 1])])]);
const appended = new PickleObject(new PickleGlobal('m', 'List'), [1]);
appended.items.push('x');

test.each<readonly [string, PickleValue]>([
  ['a global', new PickleGlobal('torch', 'float32')],
  ['a call, entries and a state', ordered],
  ['a call and items', appended],
  ['a storage', new PersistentId(tuple('storage', new PickleGlobal('torch', 'S'), '0', 'cpu', 3))],
  ['names that come back', list(ordered, ordered, new PickleGlobal('m', 'List'))],
  ['a text that is too long to be one', new LongText(new TextEncoder().encode('né'))],
  ['a tree', dict(['a', list(tuple(1, -2, 2n ** 70n), dict([null, 'x'], [3, false]))])],
])('%s is read as it was', (_, value) => {
  const bytes = encodePickle(value);
  const again = read(bytes)!;
  expect(again.end).toBe(bytes.length);
  const expected = value instanceof LongText ? 'né' : value;
  expect(again.value).toEqual(expected);
});

test('bytes and sets are calls, as Python writes them up to protocol 2', () => {
  const call = (value: PickleValue) => read(encodePickle(value))!.value as PickleObject;
  const encoded = call(Uint8Array.of(0, 65, 200, 255));
  expect([encoded.type.path, encoded.args]).toEqual(['_codecs.encode', ['\0AÈÿ', 'latin1']]);
  const set = call(new PickleSequence('set', [1]));
  expect([set.type.path, set.args]).toEqual(['__builtin__.set', [list(1)]]);
});

/** Opcodes that PyTorch 2.15 takes with `weights_only=True`; from `_weights_only_unpickler.py`. */
const taken: ReadonlySet<OpcodeName> = new Set([
  ...(['GLOBAL', 'NEWOBJ', 'REDUCE', 'BUILD', 'APPEND', 'APPENDS', 'SETITEM'] as const),
  ...(['SETITEMS', 'MARK', 'TUPLE', 'TUPLE1', 'TUPLE2', 'TUPLE3', 'NONE', 'NEWFALSE'] as const),
  ...(['NEWTRUE', 'EMPTY_TUPLE', 'EMPTY_LIST', 'EMPTY_DICT', 'EMPTY_SET', 'BININT'] as const),
  ...(['BININT1', 'BININT2', 'BINFLOAT', 'BINUNICODE', 'SHORT_BINSTRING', 'BINPERSID'] as const),
  ...(['BINGET', 'LONG_BINGET', 'BINPUT', 'LONG_BINPUT', 'LONG1', 'PROTO', 'STOP'] as const),
]);

test('only opcodes are written that the loader of weights takes', () => {
  const all = list(
    ...[null, true, false, 1, 300, -7, 2n ** 80n, 'a', new PickleFloat(1), Uint8Array.of(1)],
    ...[tuple(), tuple(1), tuple(1, 2), tuple(1, 2, 3), tuple(1, 2, 3, 4), dict([1, 2])],
    ...[new PickleSequence('set', [1]), new PersistentId('x'), ordered, appended],
  );
  const bytes = encodePickle(all);
  const names = new Set<OpcodeName>();
  for (let at = 0; at < bytes.length;) {
    const { opcode, next } = instructionAt({ bytes, name: '', file: '', offset: 0 }, at)!;
    names.add(opcode.name);
    at = next;
  }
  expect([...names].filter((name) => !taken.has(name))).toEqual([]);
  expect(names.size).toBeGreaterThan(20);
});

test('many values take a stream that grows', () => {
  const many = list(...Array.from({ length: 10_000 }, (_, i) => `key ${i}`));
  expect(read(encodePickle(many))!.value).toEqual(many);
});

test.each<readonly [string, PickleValue]>([
  ['half of a pair of surrogates', '\ud800'],
  ['an integer of 256 bytes', 2n ** 2047n],
  ['keywords', new PickleObject(new PickleGlobal('m', 'C'), [], dict(['a', 1]))],
])('%s has no form', (_, value) => {
  expect(() => encodePickle(value)).toThrow(DroverError);
  expect(() => encodePickle(list(value))).toThrow(
    expect.objectContaining({
      diagnostics: [expect.objectContaining({ code: 'core/not-writable' })],
    }),
  );
});
