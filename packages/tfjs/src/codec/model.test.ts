import { readFileSync, readdirSync } from 'node:fs';
import { ByteHandle, DroverError, memorySource, MemorySink, type Source } from '@drover/core';
import {
  decodeStrings,
  encodeStrings,
  JsonCursor,
  parseJson,
  type JsonValue,
} from '@drover/core/format';
import { decodeModelJson, readModel } from './decode-model.js';
import { encodeModelJson } from './encode-model.js';
import { ops as tfjsOps } from '../schema/ops.js';
import { weightOf, type Quantization, type StoredWeight, type TfjsModel } from './model.js';
import { writeModel, type WritableWeight } from './write-model.js';

const testdata = new URL('./testdata/', import.meta.url);
const filesOf = (folder: URL): Map<string, Uint8Array> =>
  new Map(
    readdirSync(folder)
      .filter((name) => name !== 'values.json')
      .map((name) => [name, new Uint8Array(readFileSync(new URL(name, folder)))]),
  );
const open = (files: ReadonlyMap<string, Uint8Array>): Promise<TfjsModel> =>
  readModel(memorySource('model.json', files));
const jsonOf = (files: ReadonlyMap<string, Uint8Array>): JsonValue =>
  JSON.parse(new TextDecoder().decode(files.get('model.json'))) as JsonValue;
const weightsOf = (model: TfjsModel): readonly StoredWeight[] =>
  model.groups.flatMap((group) => group.weights);

interface Fact {
  readonly name: string;
  readonly source: string | readonly string[];
  readonly read: string | readonly string[];
}
const factsOf = (name: string): readonly Fact[] =>
  JSON.parse(readFileSync(new URL(`${name}/values.json`, testdata), 'utf8')) as Fact[];

const failure = async (run: () => unknown): Promise<string> => {
  try {
    await run();
  } catch (error) {
    if (error instanceof DroverError)
      return `${error.diagnostics[0]!.code} ${error.diagnostics[0]!.origin.pointer ?? ''}`.trim();
    throw error;
  }
  return 'none';
};

const variants = ['plain', 'float16', 'uint8', 'uint16'] as const;

test.each(variants)('%s: weights have the values that tensorflowjs reads back', async (name) => {
  const weights = weightsOf(await open(filesOf(new URL(`${name}/`, testdata))));
  const facts = factsOf(name);
  expect(weights.map((weight) => weight.name)).toEqual(facts.map((fact) => fact.name));
  for (const [i, weight] of weights.entries()) {
    const bytes = await weightOf(weight).bytes();
    const count = weight.shape.reduce((a, b) => a * b, 1);
    const value =
      weight.dtype === 'string'
        ? decodeStrings(bytes, count)
        : Buffer.from(bytes).toString('base64');
    expect([weight.name, value]).toEqual([weight.name, facts[i]!.read]);
  }
});

test.each(variants)(
  '%s: shards and manifest are written byte by byte as tensorflowjs wrote them',
  async (name) => {
    const files = filesOf(new URL(`${name}/`, testdata));
    const model = await open(files);
    const facts = new Map(factsOf(name).map((fact) => [fact.name, fact.source]));
    const groups = model.groups.map((group) =>
      group.weights.map((weight): WritableWeight => {
        const value = facts.get(weight.name)!;
        return {
          ...weight,
          bytes: ByteHandle.of(
            typeof value === 'string'
              ? new Uint8Array(Buffer.from(value, 'base64'))
              : encodeStrings(value),
          ),
        };
      }),
    );
    const sink = new MemorySink();
    const shardBytes = { plain: 40, float16: 1000, uint8: 64, uint16: 64 }[name];
    await writeModel(model, groups, sink, {
      shardBytes,
      ...(name === 'plain' ? {} : { quantize: () => name }),
    });
    await sink.commit();
    expect([...sink.files.keys()].at(-1)).toBe('model.json');
    expect([...sink.files.keys()].sort()).toEqual([...files.keys()].sort());
    for (const [path, bytes] of files)
      if (path !== 'model.json')
        expect([path, Buffer.from(sink.files.get(path)!).toString('hex')]).toEqual([
          path,
          Buffer.from(bytes).toString('hex'),
        ]);
    expect(jsonOf(sink.files)).toEqual(jsonOf(files));
  },
);

test.each([
  'tf-bert/tfjs',
  'tf-multi_io/tfjs_u8',
  'tf-multi_io/tfjs_sharded',
  'tf-mobilenet_v2/tfjs_fp16',
  'tf-lstm_text/tfjs_cfv2',
  'basic_pitch/tfjs',
])('%s: decoded and encoded again, model.json says the same', async (path) => {
  const files = filesOf(new URL(`../../../../fixtures/models/${path}/`, import.meta.url));
  const model = await open(files);
  expect(encodeModelJson(model, model.groups)).toEqual(jsonOf(files));
});

test('unknown members, layers, an initialiser and resources are kept', () => {
  const info = { name: 'table:0', dtype: 'DT_RESOURCE', tensorShape: {}, resourceId: 42 };
  const json: JsonValue = {
    format: 'layers-model',
    generatedBy: null,
    modelTopology: {
      model_config: { class_name: 'Sequential', config: { layers: [] } },
      keras_version: '2.15.0',
    },
    userDefinedMetadata: { structuredOutputKeys: ['a'] },
    modelInitializer: { node: [{ name: 'table', op: 'HashTableV2' }], library: {} },
    initializerSignature: { outputs: { table: info } },
    trainingConfig: { loss: 'mse' },
    weightsManifest: [],
    __proto__x: { kept: true },
  };
  const model = decodeModelJson(new JsonCursor(json, 'model.json'));
  expect(model.initializerSignature?.outputs.get('table')?.resourceId).toBe(42);
  expect(encodeModelJson(model, [])).toEqual(json);
});

const modelJson = (
  weightsManifest: JsonValue,
  rest: Readonly<Record<string, JsonValue>> = { modelTopology: { node: [] } },
): Uint8Array => new TextEncoder().encode(JSON.stringify({ ...rest, weightsManifest }));
const small = (
  weights: JsonValue,
  bytes: number,
  paths: JsonValue = ['w.bin'],
): Map<string, Uint8Array> =>
  new Map([
    ['model.json', modelJson([{ paths, weights }])],
    ['w.bin', new Uint8Array(bytes)],
  ]);
const w = (
  more: Readonly<Record<string, JsonValue>> = {},
): Readonly<Record<string, JsonValue>> => ({
  name: 'a',
  dtype: 'float32',
  shape: [2],
  ...more,
});
const q = (more: Readonly<Record<string, JsonValue>>): Readonly<Record<string, JsonValue>> =>
  w({ quantization: { dtype: 'uint8', scale: 1, min: 0, ...more } });

test.each<[string, Map<string, Uint8Array>, string]>([
  ['a shard outside the folder', small([w()], 8, ['../../etc/passwd']), 'core/path'],
  ['an absolute shard', small([w()], 8, ['/etc/passwd']), 'core/path'],
  ['a shard by URL', small([w()], 8, ['http://example.com/w.bin']), 'core/path'],
  ['a shard that is not there', small([w()], 8, ['v.bin']), 'core/missing-file'],
  [
    'a shard twice',
    small([w()], 8, ['w.bin', 'w.bin']),
    'core/duplicate /weightsManifest/0/paths/1',
  ],
  ['too few bytes', small([w()], 7), 'tfjs/weights /weightsManifest/0/weights/0'],
  ['too many bytes', small([w()], 9), 'tfjs/weights /weightsManifest/0'],
  [
    '30 million strings in 8 bytes',
    small([w({ dtype: 'string', shape: [30_000_000] })], 8),
    'tfjs/weights /weightsManifest/0/weights/0',
  ],
  [
    'a product of dimensions that wraps round',
    small([w({ shape: [2 ** 32, 2 ** 32] })], 8),
    'tfjs/weights /weightsManifest/0/weights/0',
  ],
  [
    'a negative dimension',
    small([w({ shape: [-1] })], 8),
    'core/json /weightsManifest/0/weights/0/shape/0',
  ],
  [
    'a scale that is text',
    small([q({ scale: '1' })], 2),
    'core/json /weightsManifest/0/weights/0/quantization/scale',
  ],
  [
    'a minimum of null',
    small([q({ min: null })], 2),
    'core/json /weightsManifest/0/weights/0/quantization',
  ],
  [
    'an unknown quantisation',
    small([q({ dtype: 'uint4' })], 2),
    'core/json /weightsManifest/0/weights/0/quantization/dtype',
  ],
  [
    'quantised flags',
    small([{ ...q({}), dtype: 'bool' }], 2),
    'tfjs/weights /weightsManifest/0/weights/0',
  ],
  [
    'an unknown type',
    small([w({ dtype: 'float65' })], 8),
    'core/json /weightsManifest/0/weights/0/dtype',
  ],
  ['a weight twice', small([w(), w()], 16), 'core/duplicate /weightsManifest/0/weights/1'],
  [
    'neither graph nor layers',
    new Map([['model.json', modelJson([], { modelTopology: { x: 1 } })]]),
    'tfjs/model /modelTopology',
  ],
  ['no topology', new Map([['model.json', modelJson([], {})]]), 'tfjs/model /modelTopology'],
  [
    'JSON nested too deeply',
    new Map([['model.json', new TextEncoder().encode('[{"a":'.repeat(10_000))]]),
    'core/limit',
  ],
])('%s is a typed error at its place', async (_, files, expected) => {
  expect(await failure(() => open(files))).toBe(expected);
});

test('a string whose length leaves the shards is an error at that element', async () => {
  const files = small([w({ dtype: 'string', shape: [2] })], 9);
  files.get('w.bin')!.set([1, 0, 0, 0, 65, 0xff, 0xff, 0xff, 0xff]);
  await expect(open(files)).rejects.toThrow(/String 1 of 2/);
});

test('a weight named `__proto__` is kept', async () => {
  const [weight] = weightsOf(await open(small([w({ name: '__proto__' })], 8)));
  expect(weight!.name).toBe('__proto__');
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test('opening a model reads no elements, and a weight reads its own bytes from every shard that it spans', async () => {
  const reads: string[] = [];
  const watch = (source: Source): Source => ({
    ...source,
    read: (range) => (
      reads.push(`${source.name} ${range?.offset ?? 0}+${range?.length ?? source.size}`),
      source.read(range)
    ),
    sibling: async (path) => watch(await source.sibling(path)),
  });
  const files = new Map([
    [
      'model.json',
      modelJson([
        { paths: ['a', 'b', 'c'], weights: [w({ shape: [1] }), w({ name: 'b', shape: [2] })] },
      ]),
    ],
    ['a', new Uint8Array([1, 2, 3, 4, 5])],
    ['b', new Uint8Array([6, 7])],
    ['c', new Uint8Array([8, 9, 10, 11, 12])],
  ]);
  const model = await readModel(watch(memorySource('model.json', files)));
  expect(reads.filter((read) => !read.startsWith('model.json'))).toEqual([]);
  expect([...(await weightsOf(model)[1]!.bytes.read())]).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
  expect(reads.slice(1)).toEqual(['a 4+1', 'b 0+2', 'c 0+5']);
});

test('codes of an int32 weight are rounded to the nearest integer, as decodeWeight of TF.js 4.22 does', async () => {
  const files = small(
    [w({ dtype: 'int32', shape: [3], quantization: { dtype: 'uint8', scale: 0.3, min: -1 } })],
    3,
  );
  files.get('w.bin')!.set([0, 1, 9]);
  const bytes = await weightOf(weightsOf(await open(files))[0]!).bytes();
  expect([...new Int32Array(bytes.slice().buffer)]).toEqual([-1, -1, 2]);
});

const write = async (
  weights: readonly WritableWeight[],
  quantize?: Quantization['dtype'],
): Promise<TfjsModel> => {
  const sink = new MemorySink();
  const model = decodeModelJson(
    new JsonCursor(parseJson('{"format":"graph-model","modelTopology":{"node":[]}}', 'm'), 'm'),
  );
  await writeModel(
    model,
    [weights],
    sink,
    quantize === undefined ? {} : { quantize: () => quantize },
  );
  await sink.commit();
  return open(sink.files);
};
const f32 = (name: string, ...values: number[]): WritableWeight => ({
  name,
  dtype: 'float32',
  shape: [values.length],
  bytes: ByteHandle.of(new Uint8Array(Float32Array.from(values).buffer)),
});

test('what cannot be quantised stays plain: nothing, infinities and NaN', async () => {
  const model = await write(
    [f32('none'), f32('inf', 1, -Infinity), f32('nan', NaN, 1), f32('fine', 1, 2)],
    'uint8',
  );
  expect(weightsOf(model).map(({ name, quantization }) => [name, quantization?.dtype])).toEqual([
    ['none', undefined],
    ['inf', undefined],
    ['nan', undefined],
    ['fine', 'uint8'],
  ]);
});

test('what TF.js has no weights of is refused, and so are two weights of one name', async () => {
  expect(
    await failure(() =>
      write([{ name: 'a', dtype: 'int64', shape: [1], bytes: ByteHandle.of(new Uint8Array(8)) }]),
    ),
  ).toBe('core/not-writable');
  expect(await failure(() => write([f32('a', 1), f32('a', 2)]))).toBe('core/duplicate');
  expect(await failure(() => write([{ ...f32('a', 1), shape: [2] }]))).toBe('core/range');
});

test('every prefix and every flipped byte of the files gives a model or a typed error', async () => {
  const files = filesOf(new URL('uint8/', testdata));
  const text = files.get('model.json')!;
  const attempt = (name: string, bytes: Uint8Array): Promise<string> =>
    failure(async () =>
      Promise.all(
        weightsOf(await open(new Map([...files, [name, bytes]]))).map((weight) =>
          weightOf(weight).bytes(),
        ),
      ),
    );
  for (let length = 0; length < text.length; length++)
    expect(await attempt('model.json', text.slice(0, length))).not.toBe('none');
  for (let at = 0; at < text.length; at++)
    await attempt(
      'model.json',
      text.map((byte, i) => (i === at ? byte ^ (1 << (at % 7)) : byte)),
    );
  const strings = filesOf(new URL('plain/', testdata));
  for (const [name, bytes] of [...strings].filter(([path]) => path.startsWith('group1'))) {
    for (let at = 0; at < bytes.length; at++) {
      const flipped = new Map([
        ...strings,
        [name, bytes.map((byte, i) => (i === at ? byte ^ 0xff : byte))],
      ]);
      await failure(async () =>
        Promise.all(weightsOf(await open(flipped)).map((weight) => weight.bytes.read())),
      );
    }
  }
});

test('the executor of TF.js 4.22 has 248 operators', () => {
  expect(Object.keys(tfjsOps)).toHaveLength(248);
});
