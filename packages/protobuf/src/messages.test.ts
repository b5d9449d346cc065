import { ByteHandle, memorySource } from '@drover/core';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import {
  decodeMessage,
  encodedSize,
  encodeMessage,
  Schema,
  type FieldKind,
  type Message,
} from './index.js';

const kinds = [
  ...['int32', 'int64', 'uint32', 'uint64', 'sint32', 'sint64', 'bool', 'enum', 'fixed32'],
  ...['sfixed32', 'float', 'fixed64', 'sfixed64', 'double', 'string', 'bytes', 'message'],
] as readonly FieldKind[];
const letter = (i: number) => String.fromCharCode(97 + i);
const leaf = { message: 'Leaf' } as const;
const typeName = (kind: FieldKind) => ({ enum: 'Colour', message: 'Leaf' })[kind as 'enum'] ?? kind;

/** Every kind of field that the language has, alone, in lists of both forms, and in a oneof. */
const proto = `
  syntax = "proto2";
  enum Colour { RED = 0; GREEN = 1; }
  message Leaf { optional int32 a = 1; optional string b = 2; }
  message All {
    ${kinds.map((kind, i) => `optional ${typeName(kind)} ${letter(i)} = ${i + 1};`).join(' ')}
    ${kinds.map((kind, i) => `repeated ${typeName(kind)} r${letter(i)} = ${i + 101} ${i < 14 ? '[packed = true]' : ''};`).join(' ')}
    repeated sint32 ua = 201; repeated double uc = 202; repeated float ub = 203;
    repeated fixed64 ud = 536870911;
    map<string, Leaf> map = 300;
    oneof one { int32 x = 301; string y = 302; bytes z = 303; }
  }`;
const witness = protobuf.parse(proto, { keepCase: true }).root.lookupType('All');

interface Messages {
  All: Message & Record<string, unknown>;
  Leaf: Message & { a?: number; b?: string };
  Entry: Message & { key?: string; value?: Messages['Leaf'] };
}
const schema = new Schema<Messages>({
  Leaf: [
    { number: 1, name: 'a', kind: 'int32' },
    { number: 2, name: 'b', kind: 'string' },
  ],
  Entry: [
    { number: 1, name: 'key', kind: 'string' },
    { number: 2, name: 'value', kind: 'message', message: 'Leaf' },
  ],
  All: [
    ...kinds.map((kind, i) => ({
      ...{ number: i + 1, name: letter(i), kind },
      ...(kind === 'message' && leaf),
    })),
    ...kinds.map((kind, i) => ({
      ...{ number: i + 101, name: `r${letter(i)}`, kind, repeated: true as const },
      ...(kind === 'message' ? leaf : i < 14 && { packed: true as const }),
    })),
    { number: 201, name: 'ua', kind: 'sint32', repeated: true },
    { number: 202, name: 'uc', kind: 'double', repeated: true },
    { number: 203, name: 'ub', kind: 'float', repeated: true },
    { number: 300, name: 'map', kind: 'message', message: 'Entry', repeated: true },
    { number: 301, name: 'x', kind: 'int32', oneof: 'one' },
    { number: 302, name: 'y', kind: 'string', oneof: 'one' },
    { number: 303, name: 'z', kind: 'bytes', oneof: 'one', lazy: true },
    { number: 536870911, name: 'ud', kind: 'fixed64', repeated: true },
  ],
});

const sourceOf = (bytes: Uint8Array) => memorySource('a.pb', new Map([['a.pb', bytes]]));
const decode = (bytes: Uint8Array, limits?: Parameters<typeof decodeMessage>[3]) =>
  decodeMessage(schema, 'All', sourceOf(bytes), limits);
async function encode(message: Messages['All']): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  await encodeMessage(schema, 'All', message, {
    write: async (bytes) => void pieces.push(bytes.slice()),
    close: async () => {},
  });
  return new Uint8Array(Buffer.concat(pieces));
}
const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const shorten = (value: bigint) =>
  value >= -(2n ** 53n) + 1n && value < 2n ** 53n ? Number(value) : value;
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(shorten);
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(shorten);
const small = fc.integer({ min: -300, max: 300 });
const float = fc.float({ noNaN: true }).map((x) => x + 0);
const double = fc.double({ noNaN: true }).map((x) => x + 0);
const text = fc.string({ unit: 'binary', maxLength: 8 });
const bytes = fc.uint8Array({ maxLength: 8 });
const leaves = fc.record({ a: int32, b: text }, { requiredKeys: [] });
const arbitraries: readonly fc.Arbitrary<unknown>[] = [
  ...[fc.oneof(int32, small), fc.oneof(int64, small), uint32, uint64, fc.oneof(int32, small)],
  ...[fc.oneof(int64, small), fc.boolean(), fc.constantFrom(0, 1), uint32, int32, float],
  ...[uint64, int64, double, text, bytes, leaves],
];

/** A value as protobufjs takes it and gives it: 64-bit integers as text. */
function plain(value: unknown, kind: string): unknown {
  return kind.endsWith('64') ? String(value) : value;
}

const message = fc.record(
  Object.fromEntries([
    ...arbitraries.map((value, i) => [letter(i), value] as const),
    ...arbitraries.map(
      (value, i) => [`r${letter(i)}`, fc.array(value, { minLength: 1, maxLength: 5 })] as const,
    ),
    ['ua', fc.array(int32, { minLength: 1, maxLength: 5 })],
    ['ub', fc.array(float, { minLength: 1, maxLength: 5 })],
    ['uc', fc.array(double, { minLength: 1, maxLength: 5 })],
    ['ud', fc.array(uint64, { minLength: 1, maxLength: 5 })],
  ]),
  { requiredKeys: [] },
) as fc.Arbitrary<Record<string, unknown>>;

const kindOf = (name: string) =>
  schema.type('All').fields.find((field) => field.name === name)!.kind;
const listed = (value: unknown) =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof Uint8Array));

test('what protobufjs writes is read, and what is written protobufjs reads (property)', async () => {
  await fc.assert(
    fc.asyncProperty(message, async (values) => {
      const theirs = Object.fromEntries(
        Object.entries(values).map(([name, value]) => [
          name,
          Array.isArray(value)
            ? value.map((item) => plain(item, kindOf(name)))
            : plain(value, kindOf(name)),
        ]),
      );
      const file = witness.encode(witness.fromObject(theirs)).finish();
      const decoded = await decode(file);
      expect(
        Object.fromEntries(
          Object.entries(decoded).map(([name, value]) => [
            name,
            listed(value) ? Array.from(value as ArrayLike<unknown>) : value,
          ]),
        ),
      ).toEqual(values);
      const again = await encode(decoded);
      expect(encodedSize(schema, 'All', decoded)).toBe(again.length);
      const options = { longs: String, enums: Number };
      expect(witness.toObject(witness.decode(again), options)).toEqual(
        witness.toObject(witness.decode(file), options),
      );
    }),
    { numRuns: 300 },
  );
});

test('a map is a list of its entries', async () => {
  const file = witness
    .encode(witness.fromObject({ map: { one: { a: 1 }, two: { b: 'x' } } }))
    .finish();
  const decoded = await decode(file);
  expect(decoded['map']).toEqual([
    { key: 'one', value: { a: 1 } },
    { key: 'two', value: { b: 'x' } },
  ]);
  expect(await encode(decoded)).toEqual(new Uint8Array(file));
});

test('lists in the form that the schema does not declare are kept in it', async () => {
  const writer = protobuf.Writer.create();
  writer.uint32((105 << 3) | 0).sint32(-3);
  writer.uint32((105 << 3) | 0).sint32(4);
  writer.uint32((201 << 3) | 2).fork();
  writer.sint32(5).sint32(-6).ldelim();
  const decoded = await decode(writer.finish());
  expect(decoded).toMatchObject({ re: [-3, 4], ua: [5, -6], wire: { repacked: [105, 201] } });
  expect(await encode(decoded)).toEqual(new Uint8Array(writer.finish()));
});

test('of a oneof the last one holds, what stays in the file included', async () => {
  const z = new Uint8Array(2000).fill(7);
  const one = (value: object) => witness.encode(witness.fromObject(value)).finish();
  const decoded = await decode(Buffer.concat([one({ x: 1 }), one({ y: 'y' }), one({ z })]));
  expect(Object.keys(decoded)).toEqual(['z']);
  expect(decoded['z']).toBeInstanceOf(ByteHandle);
  expect(await (decoded['z'] as ByteHandle).read()).toEqual(z);
  expect(await decode(Buffer.concat([one({ z }), one({ x: 1 })]))).toEqual({ x: 1 });
});

test.each([
  ['a uint32 below zero', { c: -1 }],
  ['a uint32 of 33 bits', { c: 2 ** 32 }],
  ['a fraction', { a: 0.5 }],
  ['a bigint for 32 bits', { j: 1n }],
  ['a uint64 below zero', { l: -1n }],
  ['a sint64 of 65 bits', { f: 2n ** 63n }],
  ['a number that is not exact', { b: 2 ** 53 }],
  ['half a character', { o: '\ud800' }],
])('%s is refused before anything is written', async (_, values) => {
  await expect(encode(values)).rejects.toEqual(failing('protobuf/unencodable'));
});

describe('bounds of one kind of message', () => {
  const nested = (depth: number): Uint8Array => {
    let inner: Uint8Array = new Uint8Array(0);
    for (let i = 1; i < depth; i++)
      inner = protobuf.Writer.create().uint32(0x0a).bytes(inner).finish();
    return inner;
  };
  const tree = new Schema<{ Node: Message & { child?: Message[] } }>({
    Node: [{ number: 1, name: 'child', kind: 'message', message: 'Node', repeated: true }],
  });
  const read = (file: Uint8Array, bounds: object) =>
    decodeMessage(tree, 'Node', sourceOf(file), { bounds: new Map([['Node', bounds]]) });

  test.each([
    ['how deep they nest', nested(4), { nesting: { limit: 'maxNesting', most: 3 } }, false],
    ['one level more', nested(5), { nesting: { limit: 'maxNesting', most: 3 } }, true],
    ['how many there are', nested(4), { count: { limit: 'maxNesting', most: 4 } }, false],
    ['one more', nested(5), { count: { limit: 'maxNesting', most: 4 } }, true],
  ])('%s', async (_, file, bounds, refused) => {
    const reading = read(file, bounds);
    if (!refused) expect(await reading).toHaveProperty('child');
    else
      await expect(reading).rejects.toMatchObject({
        diagnostics: [
          { code: 'core/limit', help: expect.stringContaining('maxNesting') as string },
        ],
      });
  });

  test('siblings do not nest', async () => {
    const file = Buffer.from('0a000a000a000a000a00', 'hex');
    const { child } = await read(file, { nesting: { limit: 'maxNesting', most: 1 } });
    expect(child).toHaveLength(5);
  });
});

test('damaged bytes only ever give findings (property)', async () => {
  const file = witness
    .encode(
      witness.fromObject({
        ...{ a: -5, f: '-70000000000', k: 1.5, n: 2.5, o: 'text', p: 'AAAA', q: { a: 1, b: 'b' } },
        ...{ re: [1, -2], rk: [1, 2, 3], rl: ['5', '6'], rq: [{ a: 1 }, {}], uc: [1, 2] },
      }),
    )
    .finish();
  const found = new Set<string>();
  const broken = fc
    .tuple(fc.nat(file.length - 1), fc.uint8Array({ minLength: 1, maxLength: 6 }))
    .map(([at, patch]) => {
      const copy = file.slice();
      copy.set(patch.subarray(0, copy.length - at), at);
      return copy;
    });
  await fc.assert(
    fc.asyncProperty(broken, async (damaged) => {
      try {
        const decoded = await decode(damaged);
        expect(await decode(await encode(decoded))).toEqual(decoded);
      } catch (error) {
        const { diagnostics } = error as { diagnostics?: { code: string }[] };
        if (!diagnostics) throw error;
        found.add(diagnostics[0]!.code);
      }
    }),
    { numRuns: 2000 },
  );
  expect([...found]).toEqual(['protobuf/wire']);
});
