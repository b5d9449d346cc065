import { readdirSync, readFileSync } from 'node:fs';
import { memorySource, type ByteHandle, type Source } from '@drover/core';
import protobuf from 'protobufjs/minimal.js';
import type { Messages } from '../schema/onnx.js';
import { decodeMessage, decodeModel } from './decode.js';
import { encodeMessage, encodeModel } from './encode.js';

const testdata = new URL('./testdata/', import.meta.url);
const models = new URL('../../../../fixtures/models/', import.meta.url);

const sourceOf = (bytes: Uint8Array, name = 'model.onnx') =>
  memorySource(name, new Map([[name, bytes]]));

async function encoded(name: keyof Messages, message: Messages[typeof name]): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  await encodeMessage(name, message, {
    write: async (bytes) => void pieces.push(bytes.slice()),
    close: async () => {},
  });
  return Buffer.concat(pieces);
}

/** A decoded value in protobuf's JSON form: 64-bit integers as text, bytes as base64. */
function json(value: unknown, like: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof like === 'string' && typeof value !== 'string') return String(value);
  if (Array.isArray(value) || ArrayBuffer.isView(value))
    return Array.from(value as ArrayLike<unknown>, (item, i) => json(item, (like as unknown[])[i]));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => key !== 'wire');
  return Object.fromEntries(
    entries.map(([key, item]) => [key, json(item, (like as Record<string, unknown>)[key])]),
  );
}

describe('decodeMessage', () => {
  const cases = JSON.parse(readFileSync(new URL('messages.json', testdata), 'utf8')) as {
    message: keyof Messages;
    bytes: string;
    json: unknown;
  }[];

  test.each(cases)(
    '$message reads as in Python, with every field set, and writes the same bytes',
    async ({ message, bytes, json: expected }) => {
      const file = Buffer.from(bytes, 'base64');
      const decoded = await decodeMessage(sourceOf(file), message);
      expect(json(decoded, expected)).toEqual(expected);
      expect(decoded.wire?.unknown).toHaveLength(5);
      expect((await encoded(message, decoded)).equals(file)).toBe(true);
    },
  );

  test('integers of 64 bits are exact', async () => {
    const ints = [
      '9223372036854775807',
      '-9223372036854775808',
      '9007199254740992',
      '-9007199254740992',
      '9007199254740991',
      '-1',
      '0',
    ];
    const writer = protobuf.Writer.create();
    for (const value of ints) writer.uint32(8 << 3).int64(value);
    const { ints: decoded } = await decodeMessage(sourceOf(writer.finish()), 'AttributeProto');
    expect(decoded).toEqual([
      9223372036854775807n,
      -9223372036854775808n,
      9007199254740992n,
      -9007199254740992n,
      9007199254740991,
      -1,
      0,
    ]);
  });

  test('NaNs keep their bits', async () => {
    const file = readFileSync(new URL('attribute.onnx', testdata));
    const model = await decodeModel(sourceOf(file));
    const attributes = model.graph!.node![0]!.attribute!;
    expect(attributes[0]!.f).toBeNaN();
    expect([...new Uint32Array((attributes[4]!.floats as Float32Array).buffer)]).toEqual([
      0xffc00000, 0x7fc12345, 0x7fc00000, 0x80000000,
    ]);
    expect((await encoded('ModelProto', model)).equals(file)).toBe(true);
  });

  test('of two alternatives the last one holds', async () => {
    const dimension = Buffer.concat([Buffer.from([0x08, 5]), Buffer.from([0x12, 1, 0x4e])]);
    expect(await decodeMessage(sourceOf(dimension), 'TensorShapeProto_Dimension')).toEqual({
      dimParam: 'N',
    });
  });

  test('a message that comes in two parts is one', async () => {
    // AttributeProto.t twice: dims 1, then dims 2 and data_type 7
    const node = Buffer.from([0x2a, 2, 0x08, 1, 0x2a, 4, 0x08, 2, 0x10, 7]);
    expect((await decodeMessage(sourceOf(node), 'AttributeProto')).t).toEqual({
      dims: [1, 2],
      dataType: 7,
      wire: undefined,
    });
  });

  test('numbers left in the file are brought back when more of them follow', async () => {
    const block = (values: number[]) =>
      protobuf.Writer.create().uint32(0x22).floats(values).finish();
    const ints = (values: number[]) =>
      protobuf.Writer.create().uint32(0x3a).int64s(values).finish();
    const many = Array.from({ length: 600 }, (_, i) => i - 300);
    const file = Buffer.concat([
      block(many),
      ints(many),
      Buffer.from([0x25, 0, 0, 0xc0, 0x3f]),
      ints(many),
      block(many),
      Buffer.from([0x38, 9]),
    ]);
    const tensor = await decodeMessage(sourceOf(file), 'TensorProto');
    expect([...(tensor.floatData as Float32Array)]).toEqual([...many, 1.5, ...many]);
    expect(tensor.int64Data).toEqual([...many, ...many, 9]);
  });
});

describe('decodeModel', () => {
  const files = readdirSync(models, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.onnx'),
  );

  test.each(files)('%s is written back byte for byte', async (name) => {
    const file = readFileSync(new URL(name, models));
    expect((await encoded('ModelProto', await decodeModel(sourceOf(file)))).equals(file)).toBe(
      true,
    );
  });

  test('weights stay in the file: 3 GiB take a few reads', async () => {
    const tensorBytes = 150 * 2 ** 20;
    // Each initializer is a header and bytes that exist only when they are asked for.
    const header = (size: number) =>
      protobuf.Writer.create()
        .uint32(0x08)
        .int64(tensorBytes)
        .uint32(0x10)
        .int32(2)
        .uint32(0x4a)
        .uint32(size)
        .finish();
    const tensor = header(tensorBytes);
    const field = protobuf.Writer.create()
      .uint32(0x2a)
      .uint32(tensor.length + tensorBytes)
      .raw(tensor)
      .finish();
    const graphBytes = 20 * (field.length + tensorBytes);
    const start = protobuf.Writer.create()
      .uint32(0x08)
      .int64(10)
      .uint32(0x3a)
      .uint64(graphBytes)
      .finish();
    const size = start.length + graphBytes;
    let reads = 0;
    let bytesRead = 0;
    const byteAt = (at: number) =>
      at < start.length
        ? start[at]!
        : (field[(at - start.length) % (field.length + tensorBytes)] ?? 0xab);
    const source: Source = {
      ...sourceOf(start),
      size,
      read: async (range = { offset: 0, length: size }) => {
        reads++;
        bytesRead += range.length;
        return Uint8Array.from({ length: range.length }, (_, i) => byteAt(range.offset + i));
      },
    };
    const { graph } = await decodeModel(source);
    expect(graph!.initializer).toHaveLength(20);
    expect(reads).toBeLessThanOrEqual(21);
    expect(bytesRead).toBeLessThan(2 ** 21);
    const last = graph!.initializer![19]!.rawData as ByteHandle;
    expect([last.length, last.origin.offset]).toEqual([tensorBytes, size - tensorBytes]);
    expect([...(await last.read({ offset: 0, length: 2 }))]).toEqual([0xab, 0xab]);
  });

  test('up to 1 KiB of a tensor is in memory, more is a range of the file', async () => {
    const raw = (length: number) =>
      protobuf.Writer.create().uint32(0x4a).bytes(new Uint8Array(length).fill(7)).finish();
    const small = await decodeMessage(sourceOf(raw(1024)), 'TensorProto');
    expect(small.rawData).toEqual(new Uint8Array(1024).fill(7));
    const { rawData } = await decodeMessage(sourceOf(raw(1025)), 'TensorProto');
    expect(rawData).toMatchObject({ length: 1025, origin: { offset: 3 } });
    expect(await (rawData as ByteHandle).read()).toEqual(new Uint8Array(1025).fill(7));
  });

  test('100,000 nodes decode and encode within seconds', async () => {
    const node = Array.from({ length: 100_000 }, (_, i) => ({
      input: [`v${i}`],
      output: [`v${i + 1}`],
      opType: 'Relu',
      name: `n${i}`,
    }));
    const pieces: Uint8Array[] = [];
    await encodeModel(
      { irVersion: 8, graph: { node } },
      { write: async (bytes) => void pieces.push(bytes.slice()), close: async () => {} },
    );
    const model = await decodeModel(sourceOf(Buffer.concat(pieces)));
    expect(model.graph!.node![99_999]).toEqual(node[99_999]);
  }, 10_000);
});
