import { readdirSync, readFileSync } from 'node:fs';
import { memorySource, Report, type Checkpoint, type Structure } from '@drover/core';
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
