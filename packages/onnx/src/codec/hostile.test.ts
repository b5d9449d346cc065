import { readFileSync } from 'node:fs';
import { DroverError, memorySource, type Diagnostic } from '@drover/core';
import fc from 'fast-check';
import protobuf from 'protobufjs/minimal.js';
import { decodeMessage, decodeModel } from './decode.js';
import { encodeModel } from './encode.js';
import { TensorReader } from './tensor-content.js';
import { tensorsOf } from './tensors-of.js';
import type { Limits } from './limits.js';

const sourceOf = (bytes: Uint8Array) =>
  memorySource('model.onnx', new Map([['model.onnx', bytes]]));

/**
 * What a reader says about bytes: its one finding, or undefined where it accepts them. Anything but
 * a DroverError fails the test.
 */
async function finding(work: Promise<unknown>): Promise<Diagnostic | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    return error.diagnostics[0];
  }
}

const model = (bytes: number[] | Uint8Array, limits?: Partial<Limits>) =>
  finding(decodeModel(sourceOf(Uint8Array.from(bytes)), limits));

describe('bytes that are no protobuf message', () => {
  test.each([
    [
      'a varint of eleven bytes',
      [0x08, ...new Array<number>(10).fill(0x80), 0x01],
      'protobuf/wire',
      11,
    ],
    [
      'a varint of more than 64 bits',
      [0x08, ...new Array<number>(9).fill(0xff), 0x02],
      'protobuf/wire',
      11,
    ],
    ['a truncated varint', [0x08, 0x80, 0x80], 'protobuf/wire', 3],
    ['wire type 3', [0x08, 8, 0x3b], 'protobuf/wire', 2],
    ['wire type 6', [0x08, 8, 0x3e], 'protobuf/wire', 2],
    ['wire type 7', [0x08, 8, 0x3f], 'protobuf/wire', 2],
    ['field 0', [0x08, 8, 0x00, 0x01], 'protobuf/wire', 2],
    ['a tag of more than 32 bits', [0x88, 0x80, 0x80, 0x80, 0x80, 0x01], 'protobuf/wire', 0],
    ['a length past the end', [0x08, 8, 0x3a, 100, 0x0a], 'protobuf/wire', 2],
    ['a length of 2^63', [0x3a, ...new Array<number>(9).fill(0xff), 0x01], 'protobuf/wire', 0],
    ['a node past the end of its graph', [0x3a, 2, 0x0a, 5, 0, 0, 0, 0, 0], 'protobuf/wire', 2],
    [
      'a number past the end of its message',
      [0x3a, 3, 0x0a, 1, 0x80, 0x08, 8],
      'protobuf/wire',
      undefined,
    ],
    ['a fixed number past the end', [0x3a, 6, 0x0a, 4, 0x2a, 2, 0x15, 0], 'protobuf/wire', 6],
    ['text that is not UTF-8', [0x12, 2, 0xc3, 0x28], 'protobuf/wire', 2],
    ['nothing', [], 'onnx/empty', undefined],
    ['zeros', new Array<number>(1000).fill(0), 'protobuf/wire', 0],
    [
      'a Git LFS pointer',
      [...Buffer.from('version https://git-lfs.github.com/spec/v1\n')],
      'protobuf/wire',
      0,
    ],
    ['a web page', [...Buffer.from('<!DOCTYPE html>')], 'protobuf/wire', 0],
    ['a message without a graph', [0x08, 8], 'onnx/empty', undefined],
  ])('%s', async (_name, bytes, code, offset) => {
    const found = await model(bytes);
    expect(found?.code).toBe(code);
    if (offset !== undefined) expect(found?.origin.offset).toBe(offset);
    expect(found?.help).not.toBe('');
  });
});

/** A model of subgraphs in attributes, `depth` deep, written from the inside out. */
function nested(depth: number): Uint8Array {
  let graph: Uint8Array = Buffer.from([0x12, 1, 0x67]);
  const wrap = (tag: number, bytes: Uint8Array) =>
    protobuf.Writer.create().uint32(tag).bytes(bytes).finish();
  for (let i = 0; i < depth; i++) graph = wrap(0x0a, wrap(0x2a, wrap(0x32, graph)));
  return wrap(0x3a, graph);
}

describe('limits', () => {
  test.each([
    [20, undefined],
    [30, undefined],
    [31, 'maxSubgraphDepth'],
    [32, 'maxSubgraphDepth'],
    [200, 'maxSubgraphDepth'],
    [3000, 'maxSubgraphDepth'],
  ])('subgraphs %i deep', async (depth, limit) => {
    const found = await model(nested(depth));
    expect(found?.code).toBe(limit && 'core/limit');
    if (limit) expect(found!.help).toContain(limit);
  });

  test('messages that nest otherwise stop at 100', async () => {
    let type: Uint8Array = new Uint8Array(0);
    // sequence of sequences
    for (let i = 0; i < 3000; i++)
      type = protobuf.Writer.create()
        .uint32(0x22)
        .fork()
        .uint32(0x0a)
        .bytes(type)
        .ldelim()
        .finish();
    const found = await finding(decodeMessage(sourceOf(type), 'TypeProto'));
    expect(found).toMatchObject({
      code: 'core/limit',
      help: expect.stringContaining('maxDepth') as string,
    });
  });

  test('a raised limit is kept to', async () => {
    expect(await model(nested(32), { maxSubgraphDepth: 32, maxDepth: 200 })).toBeUndefined();
    const found = await model(nested(3000), { maxSubgraphDepth: 10_000, maxDepth: 100_000 });
    expect(found).toBeUndefined();
  });

  test.each([
    ['maxNodes', Buffer.from('0a00'.repeat(6), 'hex')],
    ['maxTensors', Buffer.from('2a00'.repeat(6), 'hex')],
    ['maxMessages', Buffer.from('5a00'.repeat(6), 'hex')],
    ['maxStringBytes', Buffer.from('1206616161616161', 'hex')],
  ] as const)('%s', async (limit, graph) => {
    const file = Buffer.concat([Buffer.from([0x3a, graph.length]), graph]);
    const found = await model(file, { [limit]: 5 });
    expect(found).toMatchObject({
      code: 'core/limit',
      help: expect.stringContaining(limit) as string,
    });
  });

  test('a billion empty nodes are refused before memory is', async () => {
    const size = 2_000_000_000;
    const head = Buffer.from([0x08, 8, 0x3a, ...protobuf.Writer.create().uint32(size).finish()]);
    const empty = Buffer.from('0a00'.repeat(40_000), 'hex');
    const at = ({ offset, length }: { offset: number; length: number }) => {
      const shift = offset < head.length ? 0 : (offset - head.length) % 2;
      return offset < head.length
        ? Buffer.concat([head.subarray(offset), empty]).subarray(0, length)
        : empty.subarray(shift, shift + length);
    };
    const source = {
      ...sourceOf(head),
      size: size + head.length,
      read: async (range = { offset: 0, length: 0 }) => at(range),
    };
    expect(await finding(decodeModel(source))).toMatchObject({
      code: 'core/limit',
      help: expect.stringContaining('maxNodes') as string,
    });
  });
});

describe('every damage to a small model', () => {
  const file = new Uint8Array(
    readFileSync(
      new URL('../../../../fixtures/models/torch-mixed_ops/ts_op14.onnx', import.meta.url),
    ),
  );

  /** Reads everything there is to read: the graph, each tensor, and writes the model again. */
  async function readAll(bytes: Uint8Array): Promise<void> {
    const source = sourceOf(bytes);
    const decoded = await decodeModel(source);
    const reader = new TensorReader(source);
    for (const tensor of tensorsOf('ModelProto', decoded)) {
      await finding(
        reader.open(tensor).then(async (content) => {
          if (content.dtype !== 'string') await content.data.read();
        }),
      );
    }
    await encodeModel(decoded, { write: async () => {}, close: async () => {} });
  }

  test('every prefix', async () => {
    const codes = new Set<string | undefined>();
    for (let length = 0; length < file.length; length++)
      codes.add((await finding(readAll(file.subarray(0, length))))?.code);
    // Only a cut between two fields at the top can pass, once the graph is whole.
    expect([...codes].sort()).toEqual(['onnx/empty', 'protobuf/wire', undefined]);
  }, 60_000);

  test('every byte flipped', async () => {
    const codes = new Set<string | undefined>();
    for (let at = 0; at < file.length; at++) {
      for (const mask of [0xff, 0x01, 0x80]) {
        const bytes = file.slice();
        bytes[at]! ^= mask;
        codes.add((await finding(readAll(bytes)))?.code);
      }
    }
    expect(
      [...codes].filter(
        (code) => code !== undefined && !/^(protobuf\/wire|onnx\/empty|core\/limit)$/.test(code),
      ),
    ).toEqual([]);
    expect(codes).toContain(undefined);
  }, 60_000);

  test('random bytes, and random bytes within', async () => {
    const mutated = fc
      .tuple(fc.nat(file.length - 1), fc.uint8Array({ minLength: 1, maxLength: 40 }))
      .map(([at, patch]) => {
        const bytes = file.slice();
        bytes.set(patch.subarray(0, bytes.length - at), at);
        return bytes;
      });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated),
        async (bytes) => void (await finding(readAll(bytes))),
      ),
      { numRuns: 2000, seed: 20261121 },
    );
  }, 60_000);

  test('names of prototypes are only names', async () => {
    const decoded = await decodeModel(
      sourceOf(
        Buffer.concat([
          file,
          Buffer.from('7218', 'hex'),
          Buffer.from('0a095f5f70726f746f5f5f120b', 'hex'),
          Buffer.from('constructor'),
        ]),
      ),
    );
    expect(decoded.metadataProps).toEqual([{ key: '__proto__', value: 'constructor' }]);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
