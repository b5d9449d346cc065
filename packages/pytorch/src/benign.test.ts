import { readdirSync, readFileSync } from 'node:fs';
import {
  ByteHandle,
  MemorySink,
  memorySource,
  openCheckpoint,
  Report,
  type Checkpoint,
  type Structure,
} from '@drover/core';
import {
  encodeFile,
  orderedDict,
  PickleDict,
  PickleFloat,
  PickleGlobal,
  PickleObject,
  PickleSequence,
  reduceTensor,
  torchTypeFor,
  type PickleValue,
} from './codec/index.js';
import { pytorch } from './format.js';

const folder = new URL('./codec/testdata/', import.meta.url);
const files = readdirSync(folder).filter((name) => !name.endsWith('.json'));

interface Fact {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: string;
}
interface Facts {
  readonly tensors: Readonly<Record<string, Fact>>;
  readonly aliases: Readonly<Record<string, readonly string[]>>;
}

const sourceOf = (name: string) =>
  memorySource(name, new Map([[name, new Uint8Array(readFileSync(new URL(name, folder)))]]));
async function open(name: string): Promise<{ checkpoint: Checkpoint; report: Report }> {
  const report = new Report();
  const checkpoint = await pytorch.checkpoint!.read!(sourceOf(name), { report, options: {} });
  return { checkpoint, report };
}
const factsOf = (name: string) =>
  JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Facts;

/** The names in a structure, in its order. */
function namesIn(structure: Structure): string[] {
  if (structure.kind === 'tensor') return [structure.name];
  if (structure.kind === 'list') return structure.items.flatMap(namesIn);
  if (structure.kind === 'map') return structure.entries.flatMap(([, each]) => namesIn(each));
  return structure.kind === 'opaque' && structure.state ? namesIn(structure.state) : [];
}

/** What stands at a path of keys. */
function at(structure: Structure, ...path: string[]): Structure | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return structure;
  const inner = structure.kind === 'opaque' ? structure.state : structure;
  const next =
    inner?.kind === 'list'
      ? inner.items[Number(key)]
      : inner?.kind === 'map'
        ? inner.entries.find(([each]) => String(each) === key)?.[1]
        : undefined;
  return next && at(next, ...rest);
}

test.each(files)('%s holds what PyTorch loads from it', async (name) => {
  expect(await pytorch.detect(sourceOf(name))).toBe('checkpoint');
  const { checkpoint } = await open(name);
  const { tensors, aliases } = factsOf(name);
  const told: Record<string, Fact> = {};
  for (const tensor of checkpoint.store) {
    const { weight } = tensor;
    const data = Buffer.from(await weight.bytes()).toString('base64');
    told[tensor.name] = { dtype: weight.dtype, shape: weight.shape, data };
    expect(weight.origins.map((each) => each.name)).toEqual([tensor.name]);
    expect(tensor.aliases).toEqual(aliases[tensor.name] ?? []);
  }
  expect(told).toEqual(tensors);
});

test.each(files)('%s: the structure names each tensor', async (name) => {
  const { store } = (await open(name)).checkpoint;
  const all = [...store].flatMap((tensor) => [tensor.name, ...tensor.aliases]);
  expect(namesIn(store.structure!).toSorted()).toEqual(all.toSorted());
});

test('only what tells where tensors are is read', async () => {
  const source = sourceOf('training.pt');
  const ranges: number[] = [];
  const counted = {
    ...source,
    read: (range?: { offset: number; length: number }) => (
      ranges.push(range!.length),
      source.read(range)
    ),
  };
  const { store } = await pytorch.checkpoint!.read!(counted, { report: new Report(), options: {} });
  const before = ranges.length;
  await store.get('model_state.conv.bias')!.weight.bytes();
  expect(ranges.slice(before)).toEqual([12]);
});

test('roles follow from the keys', async () => {
  const { store } = (await open('training.pt')).checkpoint;
  const roles = (name: string) => store.get(name)!.role;
  expect(roles('model_state.conv.weight')).toBe('parameter');
  expect(roles('model_state.bn.running_mean')).toBe('buffer');
  expect(roles('model_state.bn.num_batches_tracked')).toBe('buffer');
  expect(roles('optimizer.state.0.exp_avg')).toBe('optimizer');
  const whole = (await open('module.pt')).checkpoint.store;
  expect(whole.get('steps')!.role).toBe('buffer');
  expect((await open('program.pt2')).checkpoint.store.get('steps')!.role).toBe('buffer');
  expect((await open('program-2.8.pt2')).checkpoint.store.get('table')!.role).toBe('constant');
});

test.each(['training.pt', 'training-protocol-5.pt', 'training-legacy.pth.tar'])(
  '%s: what is no tensor is told as data, or named',
  async (name) => {
    const { checkpoint, report } = await open(name);
    const structure = checkpoint.store.structure!;
    const value = (...path: string[]) => {
      const found = at(structure, ...path);
      return found?.kind === 'value' ? found.value : found;
    };
    expect(value('epoch')).toBe(3);
    expect(value('best')).toBe(0.75);
    expect(value('seen')).toBe(2 ** 40);
    expect(value('big')).toBe(String(2n ** 70n));
    expect(value('args', 'lr')).toBe(0.1);
    expect(value('args', 'path')).toBe('/data/x');
    expect(value('args', 'tags', '1')).toBe('b');
    expect(value('counts', 'loss', '0')).toBe(1.5);
    expect(value('histogram', 'a')).toBe(2);
    expect(value('classes', '2')).toBe('dog');
    expect(value('device')).toBe('cpu');
    expect(value('dtype')).toBe('torch.bfloat16');
    expect(value('settings', 'rate')).toBe(0.1);
    expect(value('optimizer', 'param_groups', '0', 'lr')).toBe(0.01);
    expect(value('optimizer', 'param_groups', '0', 'betas', '1')).toBe(0.999);
    expect(value('shape')).toMatchObject({ kind: 'opaque', type: 'program.Shape' });
    expect(value('shape', '1')).toBe(4);
    expect(value('args')).toMatchObject({ kind: 'opaque', type: 'argparse.Namespace' });
    expect(value('saved')).toMatchObject({ kind: 'opaque', type: 'datetime.datetime' });
    expect(value('activation')).toEqual({ kind: 'opaque', type: 'torch.nn.functional.relu' });
    expect(value('args', 'phase')).toMatchObject({ kind: 'opaque', type: 'program.Phase' });
    expect(value('args', 'phase', '0')).toBe('train');
    expect(value('generator')).toMatchObject({ kind: 'opaque', type: 'torch._C.Generator' });
    expect(report.diagnostics.map(({ message }) => message)).toContain(
      'program.Settings is named and not built.',
    );
  },
);

test('what has no elements here is told, and hides nothing', async () => {
  const { checkpoint, report } = await open('sparse.pt');
  expect(report.diagnostics.map(({ code, origin }) => [code, origin.node])).toEqual([
    ['pytorch/no-elements', 'meta'],
    ['pytorch/no-elements', 'chalf'],
  ]);
  const structure = checkpoint.store.structure!;
  expect(at(structure, 'coo')).toMatchObject({ kind: 'opaque', type: 'torch.sparse_coo' });
  expect(at(structure, 'csr')).toMatchObject({ kind: 'opaque', type: 'torch.sparse_csr' });
});

/** What is read from an object, written as it is. */
async function readBack(object: PickleValue) {
  const sink = new MemorySink();
  await encodeFile(await sink.create('model.pt'), object, [ByteHandle.of(new Uint8Array(4))]);
  await sink.commit();
  const report = new Report();
  const { store } = await openCheckpoint(memorySource('model.pt', sink.files), pytorch, { report });
  return { structure: store.structure!, report };
}
const inTorch = (module: string, name: string, ...args: readonly PickleValue[]) =>
  new PickleObject(new PickleGlobal(module, name), args);
const tuple = (...items: readonly PickleValue[]) => new PickleSequence('tuple', items);
const plain = reduceTensor({
  type: torchTypeFor('float32')!,
  storage: '0',
  count: 1,
  offset: 0,
  shape: [1],
  strides: [1],
});

test('a parameter keeps its attributes, also those in slots', async () => {
  const [own, inSlots] = [new PickleDict(), new PickleDict()];
  own.set('group', 3);
  inSlots.set('tag', 'x');
  const args = [plain, false, orderedDict(), tuple(own, inSlots)];
  const rebuild = '_rebuild_parameter_with_state';
  const { structure } = await readBack(inTorch('torch._utils', rebuild, ...args));
  expect(structure).toEqual({
    kind: 'opaque',
    type: `torch._utils.${rebuild}`,
    state: {
      kind: 'map',
      entries: [
        ['data', { kind: 'tensor', name: 'tensor' }],
        ['group', { kind: 'value', value: 3 }],
        ['tag', { kind: 'value', value: 'x' }],
      ],
    },
  });
});

test.each([
  ['torch.Tensor', []],
  ['torchvision.tv_tensors.Image', ['torchvision.tv_tensors.Image is named and not built.']],
])('a %s is a tensor, and its class is told where it is another one', async (type, said) => {
  const at = type.lastIndexOf('.');
  const ofClass = new PickleGlobal(type.slice(0, at), type.slice(at + 1));
  const args = [plain.type, ofClass, tuple(...plain.args), new PickleDict()];
  const { structure, report } = await readBack(
    inTorch('torch._tensor', '_rebuild_from_type_v2', ...args),
  );
  expect(structure).toEqual({ kind: 'tensor', name: 'tensor' });
  expect(report.diagnostics.map(({ message }) => message)).toEqual(said);
});

test('keys that have no form here become texts, and that is told', async () => {
  const sizes = new PickleDict();
  for (const key of [1, new PickleFloat(2.5), null, true, 'a']) sizes.set(key, 0);
  const { report: quiet } = await readBack(sizes);
  expect(quiet.diagnostics).toEqual([]);
  sizes.set(tuple(3, 4), 0);
  sizes.set(2n ** 70n, 0);
  const outer = new PickleDict();
  outer.set('sizes', sizes);
  const { structure, report } = await readBack(outer);
  const inner = at(structure, 'sizes') as Structure & { readonly kind: 'map' };
  expect(inner.entries.map(([key]) => key).slice(-2)).toEqual(['(3, 4)', String(2n ** 70n)]);
  expect(report.diagnostics.map(({ code, message }) => [code, message])).toEqual([
    ['pytorch/text-key', '"sizes" has 2 keys that are read as texts.'],
  ]);
});

test('quantised tensors are codes, and say what the codes mean', async () => {
  const structure = (await open('quantised.pt')).checkpoint.store.structure!;
  expect(at(structure, 'tensor')).toMatchObject({ type: 'torch.per_tensor_affine' });
  expect(at(structure, 'tensor', 'codes')).toEqual({ kind: 'tensor', name: 'tensor' });
  expect(at(structure, 'tensor', 'scale')).toEqual({ kind: 'value', value: 0.25 });
  expect(at(structure, 'tensor', 'zero_point')).toEqual({ kind: 'value', value: 3 });
  expect(at(structure, 'channel', 'axis')).toEqual({ kind: 'value', value: 0 });
});

test('two places of one name are told apart, and it is said', async () => {
  const { report } = await open('same-names.pt');
  expect(report.diagnostics.map(({ code }) => code)).toEqual(['pytorch/renamed']);
});

test('a transposed view is a step over what is stored', async () => {
  const { store } = (await open('views.pt')).checkpoint;
  expect(store.get('transposed')!.weight.content).toMatchObject({
    kind: 'step',
    step: { kind: 'transpose', perm: [2, 0, 1] },
  });
  const [base, row] = ['base', 'row'].map((name) => store.get(name)!.weight.handle);
  expect(base!.sharesBytes(row!)).toBe(true);
});

test('the container and its versions are told', async () => {
  const told = async (name: string) => (await open(name)).checkpoint.versions;
  expect(await told('state-dict.pt')).toMatchObject({ container: 'zip', version: '3' });
  expect(await told('state-dict-legacy.pth')).toEqual({
    container: 'legacy',
    protocol_version: '1001',
  });
  expect(await told('script.pt')).toMatchObject({ container: 'torchscript' });
  expect(await told('program.pt2')).toMatchObject({ container: 'exported-program' });
  expect(await told('arrays.pkl')).toEqual({ container: 'pickle' });
});
