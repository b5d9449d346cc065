import { readdirSync, readFileSync } from 'node:fs';
import {
  ByteHandle,
  DroverError,
  MemorySink,
  memorySource,
  openCheckpoint,
  Report,
  TensorStore,
  Weight,
  writeCheckpoint,
  type Checkpoint,
  type DType,
  type StoredTensor,
  type Structure,
  type StructureKey,
} from '@drover/core';
import { readZip } from '@drover/zip';
import { pytorch } from './format.js';

const folder = new URL('./codec/testdata/', import.meta.url);
const files = readdirSync(folder).filter((name) => !name.endsWith('.json'));

const sourceOf = (bytes: Uint8Array, name = 'model.pt') =>
  memorySource(name, new Map([[name, bytes]]));
const open = (name: string) =>
  openCheckpoint(sourceOf(new Uint8Array(readFileSync(new URL(name, folder))), name), pytorch);

async function written(checkpoint: Checkpoint, report = new Report()) {
  const sink = new MemorySink();
  await writeCheckpoint(checkpoint, { to: pytorch, sink, report });
  return sink.files.get('model.pt')!;
}

const again = async (checkpoint: Checkpoint) =>
  openCheckpoint(sourceOf(await written(checkpoint)), pytorch);

async function contentOf({ store }: Checkpoint) {
  const content = new Map<string, { aliases: readonly string[] }>();
  for (const { name, weight, aliases } of store) {
    const data = Buffer.from(await weight.bytes()).toString('base64');
    const { dtype, shape } = weight;
    content.set(name, Object.assign({ aliases }, { dtype, shape, data }));
  }
  return content;
}

/** A checkpoint of tensors that a program made; one with a nesting is as of a PyTorch file. */
const made = (tensors: Iterable<StoredTensor>, structure?: Structure): Checkpoint => ({
  store: new TensorStore(tensors, { structure }),
  format: structure ? 'pytorch' : 'core',
  versions: {},
  file: '',
});
const tensor = (name: string, weight: Weight, aliases: readonly string[] = []): StoredTensor => ({
  name,
  weight,
  role: 'parameter',
  aliases,
});
const floats = (...values: readonly number[]) =>
  Weight.of('float32', [values.length], new Uint8Array(Float32Array.from(values).buffer));

test.each(files)('%s, written and read, is the same', async (name) => {
  const before = await open(name);
  const after = await again(before);
  const expected = await contentOf(before);
  // spectral_norm keeps what it computes as an attribute, which no state dict has.
  if (name === 'objects.pt') expected.get('net.line.weight_orig')!.aliases = [];
  expect(await contentOf(after)).toEqual(expected);
  // What became plain data is so from then on.
  expect((await again(after)).store.structure).toEqual(after.store.structure);
  expect(Buffer.from(await written(before)).equals(await written(before))).toBe(true);
});

/** What stands at a path of keys. */
function at(structure: Structure | undefined, ...path: StructureKey[]): Structure | undefined {
  const [key, ...rest] = path;
  if (key === undefined || !structure) return structure;
  if (structure.kind === 'list') return at(structure.items[Number(key)], ...rest);
  const entries = structure.kind === 'map' ? structure.entries : [];
  return at(entries.find(([each]) => each === key)?.[1], ...rest);
}

test('the nesting of a training checkpoint, its numbers, keys and versions come back', async () => {
  const { structure } = (await again(await open('training.pt'))).store;
  const adam = at(structure, 'optimizer', 'param_groups', 0);
  expect(at(adam, 'lr')).toEqual({ kind: 'value', value: 0.01 });
  expect(at(adam, 'weight_decay')).toEqual({ kind: 'value', value: 0 });
  expect(at(adam, 'betas')).toMatchObject({ kind: 'list', type: 'tuple' });
  expect(at(structure, 'optimizer', 'state', 0, 'exp_avg')).toEqual({
    kind: 'tensor',
    name: 'optimizer.state.0.exp_avg',
  });
  expect(at(structure, 'classes', 1)).toEqual({ kind: 'value', value: 'cat' });
  expect(at(structure, 'big')).toEqual({ kind: 'value', value: String(2n ** 70n), type: 'int' });
  expect(at(structure, 'histogram')).toMatchObject({ type: 'collections.Counter' });
  expect(at(structure, 'numpy_rng', 4)).toEqual({ kind: 'value', value: 0, type: 'float' });
  expect(at(structure, 'dtype')).toMatchObject({ value: 'torch.bfloat16', type: 'torch.dtype' });
  expect(at(structure, 'device')).toMatchObject({ value: 'cpu', type: 'torch.device' });
  const model = at(structure, 'model_state');
  expect(model).toMatchObject({ kind: 'map', type: 'collections.OrderedDict' });
  const { attributes } = model as Structure & { readonly kind: 'map' };
  expect(at(attributes, '_metadata', 'bn', 'version')).toEqual({ kind: 'value', value: 2 });
});

test('what has no form is left out by name, and what becomes data is told', async () => {
  const report = new Report();
  const { structure } = (
    await openCheckpoint(sourceOf(await written(await open('training.pt'), report)), pytorch)
  ).store;
  const said = (code: string) =>
    report.diagnostics.flatMap((each) => (each.code === code ? [each.message] : []));
  expect(said('pytorch/left-out')).toEqual([
    'Left out: /saved/0 (bytes), /activation (torch.nn.functional.relu).',
  ]);
  expect(said('pytorch/as-data').join()).toMatch(/\/args \(argparse\.Namespace\)/);
  expect(at(structure, 'args', 'lr')).toEqual({ kind: 'value', value: 0.1 });
  expect(at(structure, 'args', 'path')).toEqual({ kind: 'value', value: '/data/x' });
  expect(at(structure, 'activation')).toBeUndefined();
});

test('a module becomes its state dict', async () => {
  const { structure } = (await again(await open('module.pt'))).store;
  const names = (await open('state-dict.pt')).store.structure as Structure & { kind: 'map' };
  expect(structure).toMatchObject({
    type: 'collections.OrderedDict',
    entries: names.entries.map(([name]) => [name, { kind: 'tensor', name }]),
  });
});

/** The places and sizes of the storages of a file. */
async function storagesOf(bytes: Uint8Array) {
  const archive = await readZip(sourceOf(bytes));
  const entries = archive.entries.filter(({ name }) => /\/data\//.test(name));
  return Promise.all(
    entries.map(async (entry) => ({
      name: entry.name,
      compression: entry.compression,
      size: entry.size,
      offset: (await archive.open(entry)).origin.offset!,
    })),
  );
}

test('storages begin at multiples of 64 bytes, stored as they are', async () => {
  const storages = await storagesOf(await written(await open('dtypes.pt')));
  expect(storages.length).toBeGreaterThan(15);
  for (const { offset, compression } of storages)
    expect([offset % 64, compression]).toEqual([0, 'stored']);
});

test('views of one storage stay so, and hold what they span', async () => {
  const base = Uint8Array.from({ length: 64 }, (_, i) => i);
  const part = (offset: number, length: number) => ByteHandle.of(base).slice(offset, length);
  const of = (dtype: DType, shape: readonly number[], offset: number, length: number) =>
    Weight.stored(dtype, shape, undefined, part(offset, length));
  const bytes = await written(
    made([
      tensor('row', of('int16', [4], 8, 8)),
      tensor('later', of('int16', [2, 3], 12, 12)),
      tensor('turned', of('int16', [2, 3], 8, 12).transpose([1, 0])),
      tensor('apart', of('int16', [2], 40, 4)),
      tensor('between', of('int16', [2], 9, 4)),
      tensor('other', of('int8', [4], 8, 4), ['tied']),
    ]),
  );
  const sizes = (await storagesOf(bytes)).map(({ size }) => size);
  expect(sizes).toEqual([16, 4, 4, 4]);
  const { store } = await openCheckpoint(sourceOf(bytes), pytorch);
  const handle = (name: string) => store.get(name)!.weight.handle;
  expect(handle('row').sharesBytes(handle('later'))).toBe(true);
  expect(store.get('turned')!.weight.content.kind).toBe('step');
  expect([...(await store.get('turned')!.weight.bytes())]).toEqual([
    8, 9, 14, 15, 10, 11, 16, 17, 12, 13, 18, 19,
  ]);
  expect([...(await store.get('later')!.weight.bytes())]).toEqual([...base.subarray(12, 24)]);
  expect(store.get('tied')!.name).toBe('other');
});

test('without a nesting it is a state dict of all names in their order', async () => {
  const { store } = await again(made([tensor('b', floats(1), ['c']), tensor('a', floats(2))]));
  expect(store.structure).toEqual({
    kind: 'map',
    type: 'collections.OrderedDict',
    entries: ['b', 'c', 'a'].map((name) => [name, { kind: 'tensor', name }]),
  });
});

test('tensors that the nesting does not name stand at its end; those that are missing are told', async () => {
  const structure: Structure = {
    kind: 'map',
    entries: [
      ['net', { kind: 'map', entries: [['w', { kind: 'tensor', name: 'net.w' }]] }],
      ['gone', { kind: 'tensor', name: 'gone' }],
    ],
  };
  const report = new Report();
  const checkpoint = made([tensor('net.w', floats(1)), tensor('more', floats(2))], structure);
  const { store } = await openCheckpoint(sourceOf(await written(checkpoint, report)), pytorch);
  expect([...store].map(({ name }) => name)).toEqual(['net.w', 'more']);
  expect(report.diagnostics.map(({ message }) => message)).toEqual(['Left out: /gone (tensor).']);
});

test('tensors beside a nesting that has no names are left out and told', async () => {
  const report = new Report();
  const checkpoint = made([tensor('w', floats(1)), tensor('more', floats(2))], {
    kind: 'tensor',
    name: 'w',
  });
  const { store } = await openCheckpoint(sourceOf(await written(checkpoint, report)), pytorch);
  expect(store.structure).toEqual({ kind: 'tensor', name: 'tensor' });
  expect(report.diagnostics.map(({ message }) => message)).toEqual(['Left out: more (tensor).']);
});

test('names do not follow a nesting that is of another format', async () => {
  const structure: Structure = {
    kind: 'map',
    entries: [['a', { kind: 'map', entries: [['b', { kind: 'tensor', name: 'w' }]] }]],
  };
  const foreign = { ...made([tensor('w', floats(1))], structure), format: 'keras' };
  const { store } = await again(foreign);
  expect([...store].map(({ name }) => name)).toEqual(['w']);
});

test('types that PyTorch lacks, and names that are no text, are all told before anything is written', async () => {
  const refused = async (...tensors: readonly StoredTensor[]) => {
    const sink = new MemorySink();
    const error = await writeCheckpoint(made(tensors), { to: pytorch, sink }).catch(
      (each: unknown) => each,
    );
    expect(sink.files.size).toBe(0);
    expect(error).toBeInstanceOf(DroverError);
    return (error as DroverError).diagnostics.map(({ code }) => code);
  };
  const bytes = new Uint8Array(1);
  expect(
    await refused(
      tensor('a', Weight.of('int4', [2], bytes)),
      tensor('b', floats(1)),
      tensor('c', Weight.of('float4e2m1fn', [2], bytes)),
      tensor('d', Weight.of('string', [0], new Uint8Array(0))),
    ),
  ).toEqual(['core/not-writable', 'core/not-writable', 'core/not-writable']);
  expect(await refused(tensor('\ud800', floats(1)))).toEqual(['core/not-writable']);
});

test('texts beside the tensors are told, and not written', async () => {
  const report = new Report();
  const store = new TensorStore([tensor('a', floats(1))], {
    metadata: new Map([['format', 'pt']]),
  });
  await written({ ...made([]), store }, report);
  expect(report.diagnostics.map(({ code, message }) => [code, message])).toEqual([
    ['pytorch/metadata', 'Texts beside the tensors are left out: format.'],
  ]);
});

test('elements pass through in pieces', async () => {
  const length = 2 ** 26;
  const piece = new Uint8Array(2 ** 20);
  const bytes = ByteHandle.computed(length, async function* () {
    for (let at = 0; at < length; at += piece.length) yield piece;
  });
  const sizes: number[] = [];
  const sink = new MemorySink();
  await writeCheckpoint(made([tensor('w', Weight.stored('uint8', [length], undefined, bytes))]), {
    to: pytorch,
    sink: {
      create: async () => ({
        write: async (part) => void sizes.push(part.length),
        close: async () => {},
      }),
      commit: () => sink.commit(),
      abort: () => sink.abort(),
    },
  });
  expect(Math.max(...sizes)).toBeLessThanOrEqual(2 ** 22);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(length);
});
