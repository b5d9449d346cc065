import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  convert,
  MemorySink,
  openCheckpoint,
  TensorStore,
  Weight,
  writeCheckpoint,
} from '@drover/core';
import { openFile } from '@drover/node';
import { safetensors } from '@drover/safetensors';
import { elementBits, nameOf } from '@drover/safetensors/codec';
import { checkpointFixtures } from './checkpoint-fixture.js';

const python = process.env['DROVER_TORCH_PYTHON']!;
const script = new URL('./read-safetensors.py', import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), 'drover-safetensors-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Read {
  readonly version: string;
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly data: string;
  }[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly order: readonly string[];
  /** The bytes of the tensors that PyTorch gets from the library. */
  readonly torch: Readonly<Record<string, string>>;
}

/** What the library reads from files. */
function readByLibrary(...files: readonly Uint8Array[]): readonly Read[] {
  const paths = files.map((bytes, i) => {
    const path = join(root, `${i}.safetensors`);
    writeFileSync(path, bytes);
    return path;
  });
  const options = { maxBuffer: 2 ** 30 };
  return JSON.parse(execFileSync(python, [script, ...paths], options).toString()) as Read[];
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

async function written(tensors: ConstructorParameters<typeof TensorStore>[0], metadata = {}) {
  const store = new TensorStore(tensors, { metadata: new Map(Object.entries(metadata)) });
  const sink = new MemorySink();
  const checkpoint = { store, format: 'core', versions: {}, file: '' };
  await writeCheckpoint(checkpoint, { to: safetensors, sink });
  return sink.files.get('model.safetensors')!;
}

/** Every type that both have; bits that cover all of a byte, so NaN payloads, too. */
const everyType = [
  ...['float64', 'float32', 'float16', 'bfloat16', 'float8e4m3fn', 'float8e4m3fnuz'],
  ...['float8e5m2', 'float8e5m2fnuz', 'float8e8m0fnu', 'float4e2m1fn', 'int64', 'int32', 'int16'],
  ...['int8', 'uint64', 'uint32', 'uint16', 'uint8', 'bool', 'complex64'],
] as const;

it('what we write the library reads: every type, every bit, names and metadata', async () => {
  const tensors = everyType.map((dtype, i) => {
    const bits = elementBits(nameOf(dtype)!)!;
    const bytes = Uint8Array.from({ length: 32 * bits }, (_, at) =>
      dtype === 'bool' ? at % 2 : (at * 167 + i) % 256,
    );
    return {
      name: `${dtype} "\\ 名前💧`,
      weight: Weight.of(dtype, [2, 128], bytes),
      role: 'parameter' as const,
      aliases: [`tied ${dtype}`],
    };
  });
  const [read] = readByLibrary(await written(tensors, { format: 'pt', note: 'a\n"b"' })) as [Read];
  expect(read.version).toBe('0.8.0');
  const found = new Map(read.tensors.map((each) => [each.name, each]));
  expect(found.size).toBe(tensors.length);
  for (const { name, weight } of tensors) {
    const data = base64(await weight.bytes());
    expect(found.get(name)).toEqual({
      name,
      dtype: nameOf(weight.dtype),
      shape: weight.shape,
      data,
    });
    if (!/e8m0|e2m1/.test(name)) expect([name, read.torch[name]]).toEqual([name, data]);
  }
  expect(Object.keys(read.torch)).toHaveLength(everyType.length - 2);
  expect(read.metadata).toEqual({
    format: 'pt',
    note: 'a\n"b"',
    ...Object.fromEntries(tensors.map(({ name, aliases }) => [aliases[0]!, name])),
  });
});

it('an empty checkpoint, empty tensors and scalars', async () => {
  const of = (name: string, shape: readonly number[], bytes: number) => ({
    name,
    weight: Weight.of('float32', shape, new Uint8Array(bytes)),
    role: 'parameter' as const,
    aliases: [],
  });
  const read = readByLibrary(
    await written([]),
    await written([of('a', [0, 3], 0), of('b', [], 4), of('c', [2, 0], 0)]),
  );
  expect(read.map(({ order }) => order)).toEqual([[], ['a', 'b', 'c']]);
});

const files = checkpointFixtures().filter(({ format }) => format === 'safetensors');

it.each(files.map((each) => [each.id, each] as const))(
  '%s, written again in one file and in shards, is read as before',
  async (_, { source, expected }) => {
    const names = (read: readonly Read[]) =>
      new Map(read.flatMap(({ tensors }) => tensors).map(({ name, data }) => [name, data]));
    const before = new Map(expected.tensors.map(({ name, data }) => [name, data]));
    for (const [path, shardSize] of [
      ['m.safetensors', undefined],
      ['m.safetensors.index.json', 100],
    ] as const) {
      const sink = new MemorySink();
      const options = { shardSize };
      await convert({ from: safetensors, to: safetensors, source, sink, path, options });
      const parts = [...sink.files].filter(([name]) => name.endsWith('.safetensors'));
      expect(names(readByLibrary(...parts.map(([, bytes]) => bytes)))).toEqual(before);
    }
  },
);

it('what the library has just written we read', async () => {
  const path = join(root, 'theirs.safetensors');
  const program = `
import torch, safetensors.torch as st
torch.manual_seed(0)
model = torch.nn.LSTM(5, 7, num_layers=2, bidirectional=True)
st.save_file(dict(model.state_dict()), ${JSON.stringify(path)}, metadata={"format": "pt"})`;
  execFileSync(python, ['-c', program]);
  const source = await openFile(path);
  const { store } = await openCheckpoint(source, safetensors);
  const [read] = readByLibrary(readFileSync(path)) as [Read];
  expect([...store].map(({ name }) => name)).toEqual(read.order);
  for (const { name, data } of read.tensors)
    expect([name, base64(await store.get(name)!.weight.bytes())]).toEqual([name, data]);
  source.close();
});
