import { readFileSync } from 'node:fs';
import { ByteHandle, memorySource, MemorySink } from '@drover/core';
import onnxProto from 'onnx-proto';
import {
  AttributeType,
  DataType,
  type GraphProto,
  type ModelProto,
  type NodeProto,
} from '../schema/onnx.js';
import { decodeModel } from './decode.js';
import { encodedSize, encodeModel } from './encode.js';

const sourceOf = (bytes: Uint8Array) =>
  memorySource('model.onnx', new Map([['model.onnx', bytes]]));

async function encoded(model: ModelProto): Promise<Uint8Array> {
  const sink = new MemorySink();
  const file = await sink.create('model.onnx');
  await encodeModel(model, file);
  await file.close();
  await sink.commit();
  return sink.files.get('model.onnx')!;
}

const fixture = (name: string) =>
  readFileSync(new URL(`../../../../fixtures/models/${name}`, import.meta.url));

/** Content that exists in pieces only. */
function pieces(...chunks: Uint8Array[]): ByteHandle {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return ByteHandle.computed(length, async function* () {
    yield* chunks;
  });
}

describe('encodeModel', () => {
  const model: ModelProto = {
    irVersion: 8,
    producerName: 'é漢𝄞',
    modelVersion: -1,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'g',
      node: [
        {
          opType: 'If',
          input: ['c', ''],
          output: ['y'],
          attribute: [
            {
              name: 'then_branch',
              type: AttributeType.GRAPH,
              g: { name: 'then', node: [{ opType: 'Relu', input: ['x'], output: ['y'] }] },
            },
            {
              name: 'ints',
              type: AttributeType.INTS,
              ints: [1, -2, 2n ** 62n, -(2n ** 63n), 2 ** 40],
            },
            { name: 'floats', type: AttributeType.FLOATS, floats: [0.5, -0.25, 1e10] },
            { name: 'f', type: AttributeType.FLOAT, f: 0 },
            { name: 's', type: AttributeType.STRING, s: new Uint8Array([0, 255]) },
          ],
        },
      ],
      initializer: [
        {
          name: 'w',
          dims: [2, 3],
          dataType: DataType.FLOAT,
          rawData: pieces(new Uint8Array(10).fill(1), new Uint8Array(14).fill(2)),
        },
        { name: 'i', dims: [3], dataType: DataType.INT64, int64Data: [1, -1, 2 ** 50] },
        {
          name: 'large',
          dims: [100_000],
          dataType: DataType.UINT8,
          rawData: new Uint8Array(100_000).fill(3),
        },
      ],
    },
  };

  test('onnx-proto decodes what is written', async () => {
    const witness = onnxProto.onnx.ModelProto.toObject(
      onnxProto.onnx.ModelProto.decode(await encoded(model)),
      { longs: String },
    );
    const node = (model.graph!.node as NodeProto[])[0]!;
    expect(witness).toMatchObject({
      irVersion: '8',
      producerName: 'é漢𝄞',
      modelVersion: '-1',
      opsetImport: [{ domain: '', version: '17' }],
      graph: {
        name: 'g',
        node: [
          {
            opType: 'If',
            input: ['c', ''],
            output: ['y'],
            attribute: [
              {
                name: 'then_branch',
                type: 5,
                g: { name: 'then', node: [{ opType: 'Relu', input: ['x'], output: ['y'] }] },
              },
              {
                name: 'ints',
                ints: ['1', '-2', '4611686018427387904', '-9223372036854775808', '1099511627776'],
              },
              { name: 'floats', floats: [0.5, -0.25, 1e10] },
              { name: 'f', type: 1, f: 0 },
              { name: 's', s: node.attribute![4]!.s },
            ],
          },
        ],
        initializer: [
          {
            name: 'w',
            dims: ['2', '3'],
            dataType: 1,
            rawData: new Uint8Array([
              ...new Array<number>(10).fill(1),
              ...new Array<number>(14).fill(2),
            ]),
          },
          { name: 'i', dims: ['3'], int64Data: ['1', '-1', '1125899906842624'] },
          { name: 'large', rawData: new Uint8Array(100_000).fill(3) },
        ],
      },
    });
  });

  test('onnx-proto reads the same in a real model and in what is written of it', async () => {
    const file = fixture('torch-unet/ts_op11.onnx');
    const witness = (bytes: Uint8Array) =>
      onnxProto.onnx.ModelProto.toObject(onnxProto.onnx.ModelProto.decode(bytes), {
        longs: String,
        bytes: String,
      });
    expect(witness(await encoded(await decodeModel(sourceOf(file))))).toEqual(witness(file));
  });

  test('decoding gives the same model again', async () => {
    const bytes = await encoded(model);
    expect(encodedSize(model)).toBe(bytes.length);
    const { graph, ...rest } = await decodeModel(sourceOf(bytes));
    const { graph: written, ...restWritten } = model;
    expect(rest).toEqual(restWritten);
    expect(graph!.node![0]!.attribute![1]!.ints).toEqual([1, -2, 2n ** 62n, -(2n ** 63n), 2 ** 40]);
    expect(graph!.initializer![1]).toEqual(written!.initializer![1]);
    expect(graph!.initializer![2]!.rawData).toMatchObject({ length: 100_000 });
  });

  test.each<[string, ModelProto]>([
    ['a text that is not Unicode', { graph: { name: 'a\ud800b' } }],
    ['a 64-bit integer that a number does not hold', { irVersion: 2 ** 53 }],
    ['a fraction', { irVersion: 1.5 }],
    ['an integer of more than 64 bits', { irVersion: 2n ** 63n }],
    [
      'an element type that is no 32-bit integer',
      { graph: { initializer: [{ dataType: 2 ** 31 }] } },
    ],
    ['NaN as an enum', { graph: { node: [{ attribute: [{ type: NaN }] }] } }],
    ['a negative uint64', { graph: { initializer: [{ uint64Data: [-1] }] } }],
  ])('%s is refused before anything is written', async (_name, wrong) => {
    let written = 0;
    const file = {
      write: async (bytes: Uint8Array) => void (written += bytes.length),
      close: async () => {},
    };
    await expect(encodeModel(wrong, file)).rejects.toMatchObject({
      diagnostics: [{ code: 'protobuf/unencodable' }],
    });
    expect(written).toBe(0);
  });

  test('a graph within itself is refused', async () => {
    const graph: GraphProto = {};
    graph.node = [{ attribute: [{ g: graph }] }];
    await expect(encoded({ graph })).rejects.toMatchObject({
      diagnostics: [{ code: 'protobuf/unencodable' }],
    });
  });

  test('more than 2 GiB is refused with the way out', async () => {
    const half = ByteHandle.computed(2 ** 30, () => {
      throw new Error('must not be read');
    });
    const wrong: ModelProto = { graph: { initializer: [{ rawData: half }, { rawData: half }] } };
    expect(encodedSize(wrong)).toBeGreaterThan(2 ** 31);
    await expect(encoded(wrong)).rejects.toMatchObject({
      diagnostics: [
        { code: 'protobuf/too-large', help: expect.stringContaining('external') as string },
      ],
    });
  });

  test.each([
    ['fewer', 3],
    ['more', 5],
  ])('content that gives %s bytes than announced is an error', async (_name, given) => {
    const rawData = ByteHandle.computed(4, async function* () {
      yield new Uint8Array(given);
    });
    await expect(encoded({ graph: { initializer: [{ rawData }] } })).rejects.toMatchObject({
      diagnostics: [{ code: 'core/content-size' }],
    });
  });

  test('handles are read one at a time', async () => {
    let open = 0;
    let most = 0;
    const content = () =>
      ByteHandle.computed(1000, async function* () {
        most = Math.max(most, ++open);
        await Promise.resolve();
        yield new Uint8Array(1000);
      });
    const file = {
      write: async (bytes: Uint8Array) => {
        if (bytes.length === 1000) open--;
        await Promise.resolve();
      },
      close: async () => {},
    };
    await encodeModel(
      { graph: { initializer: Array.from({ length: 20 }, () => ({ rawData: content() })) } },
      file,
    );
    expect([open, most]).toEqual([0, 1]);
  });
});
