import {
  ConversionError,
  Graph,
  Model,
  ops,
  Report,
  sizeOf,
  tensor,
  TensorStore,
  toNumbers,
  Weight,
  type Checkpoint,
  type Value,
} from '@drover/core';
import { applyToCheckpoint, applyToModel } from './apply.js';
import { extractWeights } from './extract.js';
import { parseRules } from './rules.js';

/** A tensor whose elements are `first`, `first + 1` and so on, so that every one is told apart. */
const counted = (shape: readonly number[], first: number, name?: string) =>
  Weight.from(
    tensor(
      'float32',
      shape,
      Array.from({ length: sizeOf(shape) }, (_, i) => first + i),
    ),
    name,
  );

const checkpoint = (
  tensors: Readonly<Record<string, readonly number[]>>,
  first = 0,
): Checkpoint => ({
  store: new TensorStore(
    Object.entries(tensors).map(([name, shape], i) => ({
      name,
      weight: counted(shape, first + 1000 * i, name),
      role: 'parameter' as const,
      aliases: [],
    })),
  ),
  format: 'safetensors',
  versions: {},
  file: 'new.safetensors',
});

interface Linear {
  readonly name: string;
  readonly sizes: readonly [inputs: number, outputs: number];
}

/** Layers one after the other, or all over the same input where `isWide`. */
function linearModel(layers: readonly Linear[], isWide = false): Model {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [1, layers[0]!.sizes[0]]);
  let value: Value = x;
  for (const [i, { name, sizes }] of layers.entries()) {
    const node = { file: 'm.onnx', path: [], node: name, op: 'MatMul' };
    const constant = (weight: Weight) => graph.constant(weight, weight.name!);
    const { y } = graph.add(
      ops.MatMul,
      { a: isWide ? x : value, b: constant(counted(sizes, -1000 * i, `onnx::MatMul_${i}`)) },
      {},
      { name, origin: node },
    );
    const bias = constant(counted([sizes[1]], 0.5 + 1000 * i, `onnx::Add_${i}`));
    value = graph.add(ops.Add, { a: y, b: bias }, {}, { name: `${name}/add`, origin: node }).y;
    if (isWide) graph.output(`y${i}`, value);
  }
  if (!isWide) graph.output('y', value);
  return new Model(graph, { file: 'm.onnx', format: 'onnx' });
}

const constantsOf = async (model: Model) =>
  Promise.all(
    model.graph.constants().map(async ({ constant }) => ({
      shape: constant!.shape,
      values: Array.from(toNumbers(await constant!.tensor())),
    })),
  );

const failure = async (run: Promise<unknown>) => {
  const error = await run.catch((each: unknown) => each);
  if (!(error instanceof ConversionError)) throw error;
  return error.diagnostics.map(({ code, message }) => `${code}: ${message}`);
};

const two: readonly Linear[] = [
  { name: '/encoder/MatMul', sizes: [2, 3] },
  { name: '/head/MatMul', sizes: [3, 2] },
];
const twoLayers = {
  'encoder.weight': [3, 2],
  'encoder.bias': [3],
  'head.weight': [2, 3],
  'head.bias': [2],
};

it('turns PyTorch’s matrices, behind any prefix, and gives them back bit for bit', async () => {
  const renamed = Object.fromEntries(
    Object.entries(twoLayers).map(([name, shape]) => [`module.${name}`, shape]),
  );
  const weights = checkpoint(renamed, 7);
  const filled = await applyToModel(linearModel(two), { weights });
  expect(await constantsOf(filled)).toEqual([
    { shape: [2, 3], values: [7, 9, 11, 8, 10, 12] },
    { shape: [3], values: [1007, 1008, 1009] },
    { shape: [3, 2], values: [2007, 2010, 2008, 2011, 2009, 2012] },
    { shape: [2], values: [3007, 3008] },
  ]);
  const { store } = await extractWeights(filled, { like: checkpoint(renamed) });
  for (const { name, weight } of weights.store)
    expect([name, await store.get(name)!.weight.bytes()]).toEqual([name, await weight.bytes()]);
});

it('leaves the model as it was', async () => {
  const model = linearModel(two);
  const before = await constantsOf(model);
  await applyToModel(model, { weights: checkpoint(twoLayers) });
  expect(await constantsOf(model)).toEqual(before);
});

it('names all that is missing, left over and of another shape, at once', async () => {
  const weights = checkpoint({ 'head.weight': [2, 5], 'head.bias': [2], 'other.gain': [4] });
  expect(await failure(applyToModel(linearModel(two), { weights }))).toEqual([
    expect.stringMatching(/^weights\/missing: .*nothing for \/encoder\/MatMul.*\[2, 3\]/),
    expect.stringMatching(
      /^weights\/shape: head .*its weight is \[5, 2\] where \[3, 2\] is wanted/,
    ),
    expect.stringMatching(/^weights\/extra: other\.gain/),
  ]);
  const allow = { missing: ['onnx::*'], extra: ['other*', 'head*'] };
  const kept = await applyToModel(linearModel(two), { weights, allow });
  expect(await constantsOf(kept)).toEqual(await constantsOf(linearModel(two)));
});

const parallel: readonly Linear[] = [
  { name: 'node_a', sizes: [2, 2] },
  { name: 'node_b', sizes: [2, 2] },
];
const alike = { 'key.weight': [2, 2], 'key.bias': [2], 'query.weight': [2, 2], 'query.bias': [2] };

it('shows what could be either, and takes a rule or old values for it', async () => {
  const model = () => linearModel(parallel, true);
  const weights = checkpoint(alike, 5);
  expect(await failure(applyToModel(model(), { weights }))).toEqual([
    expect.stringMatching(/^weights\/ambiguous: node_a, node_b could each hold any of key, query/),
  ]);
  const rules = await parseRules('layers:\n  node_a: query\n', 'r.yaml');
  const [first] = await constantsOf(await applyToModel(model(), { weights, rules }));
  expect(first!.values).toEqual([2005, 2007, 2006, 2008]);
  const old = (await extractWeights(model(), {
    like: checkpoint(alike),
    rules: await parseRules('layers:\n  node_a: key\n', 'r.yaml'),
  })) as Checkpoint;
  const [again] = await constantsOf(await applyToModel(model(), { weights, like: old }));
  expect(again!.values).toEqual([5, 7, 6, 8]);
});

it('takes the order of computation and of the file, and says so', async () => {
  const report = new Report();
  const chain = parallel.map((each, i) => ({ ...each, name: `node_${i}` }));
  const weights = checkpoint({
    'q.weight': [2, 2],
    'q.bias': [2],
    'a.weight': [2, 2],
    'a.bias': [2],
  });
  const filled = await applyToModel(linearModel(chain), { weights, report });
  const constants = await constantsOf(filled);
  expect(constants[1]!.values).toEqual([1000, 1001]);
  expect(report.diagnostics.map(({ code }) => code)).toEqual(['weights/by-order']);
  // In the order of their names tensors tell no order of computation.
  const sorted = checkpoint({
    'a.bias': [2],
    'a.weight': [2, 2],
    'q.bias': [2],
    'q.weight': [2, 2],
  });
  expect(await failure(applyToModel(linearModel(chain), { weights: sorted }))).toEqual([
    expect.stringContaining('weights/ambiguous'),
  ]);
});

it('does not guess what a constant holds that may be computed from old weights', async () => {
  const model = linearModel(two);
  const { value } = model.graph.outputs[0]!;
  const scaled = model.graph.constant(counted([2, 2], 3, 'computed'), 'computed');
  model.graph.outputs[0]!.value = model.graph.add(ops.Add, { a: value, b: scaled }, {}).y;
  expect(await failure(applyToModel(model, { weights: checkpoint(twoLayers) }))).toEqual([
    expect.stringMatching(/^weights\/missing: .*nothing for computed, float32\[2, 2\]/),
  ]);
});

it('carries Keras’ kernels into PyTorch’s names and layouts', async () => {
  const keras = checkpoint({
    'conv/kernel': [3, 5, 2, 4],
    'conv/bias': [4],
    'bn/gamma': [4],
    'bn/beta': [4],
    'bn/moving_mean': [4],
    'bn/moving_variance': [4],
    'depth/depthwise_kernel': [3, 3, 4, 2],
    'fc/kernel': [8, 3],
    'fc/bias': [3],
  });
  const torch = checkpoint({
    'conv.weight': [4, 2, 3, 5],
    'conv.bias': [4],
    'bn.weight': [4],
    'bn.bias': [4],
    'bn.running_mean': [4],
    'bn.running_var': [4],
    'depth.weight': [8, 1, 3, 3],
    'fc.weight': [3, 8],
    'fc.bias': [3],
  });
  const { store } = await applyToCheckpoint(torch, { weights: keras });
  const at = async (name: string, index: number) =>
    toNumbers(await store.get(name)!.weight.tensor())[index]!;
  // conv.weight[1, 1, 2, 3] is conv/kernel[2, 3, 1, 1].
  expect(await at('conv.weight', ((1 * 2 + 1) * 3 + 2) * 5 + 3)).toBe(
    ((2 * 5 + 3) * 2 + 1) * 4 + 1,
  );
  // depth.weight[3 * 2 + 1, 0, 2, 0] is depth/depthwise_kernel[2, 0, 3, 1].
  expect(await at('depth.weight', (7 * 3 + 2) * 3)).toBe(6000 + (2 * 3 * 4 + 3) * 2 + 1);
  expect(await at('bn.running_var', 2)).toBe(5002);
  expect(await at('fc.weight', 1 * 8 + 5)).toBe(7000 + 5 * 3 + 1);
  const back = await applyToCheckpoint(keras, { weights: { ...torch, store } });
  for (const { name, weight } of keras.store)
    expect([name, await back.store.get(name)!.weight.bytes()]).toEqual([
      name,
      await weight.bytes(),
    ]);
});

it('takes old values only where the new weights have the same tensors', async () => {
  const model = () => linearModel(two);
  const old = await extractWeights(model(), { like: checkpoint(twoLayers) });
  const { 'head.bias': _, ...lacking } = twoLayers;
  const weights = checkpoint({ ...lacking, 'encoder.bias': [4], 'other.bias': [2] });
  expect(await failure(applyToModel(model(), { weights, like: old }))).toEqual([
    expect.stringMatching(/^weights\/shape: encoder\.bias is float32\[4\] /),
    expect.stringMatching(/^weights\/missing: .*has no head\.bias, float32\[2\]/),
    expect.stringMatching(/^weights\/extra: other\.bias/),
  ]);
});

it('takes a tensor with several names for each of them, and none of them as left over', async () => {
  const { store } = checkpoint({ 'encoder.weight': [3, 2], 'encoder.bias': [3] });
  const [weight, bias] = [...store];
  const tied = new TensorStore([{ ...weight!, aliases: ['decoder.weight'] }, bias!]);
  const weights = { ...checkpoint({}), store: tied };
  const filled = await applyToModel(linearModel(two.slice(0, 1)), { weights });
  expect((await constantsOf(filled))[0]!.values).toEqual([0, 2, 4, 1, 3, 5]);
});

it('does not put different values of two layers into one tensor', async () => {
  const [weight] = [...checkpoint({ 'key.weight': [2, 2] }).store];
  const tied = new TensorStore([{ ...weight!, aliases: ['query.weight'] }]);
  const like = { ...checkpoint({}), store: tied };
  const graph = new Graph();
  const x = graph.input('x', 'float32', [1, 2]);
  for (const [i, name] of ['key', 'query'].entries()) {
    const node = { file: 'm.onnx', path: [], node: `/${name}/MatMul`, op: 'MatMul' };
    const b = graph.constant(counted([2, 2], 10 * i, `onnx::MatMul_${i}`), name);
    graph.output(name, graph.add(ops.MatMul, { a: x, b }, {}, { name, origin: node }).y);
  }
  expect(await failure(extractWeights(new Model(graph, { file: 'm.onnx' }), { like }))).toEqual([
    expect.stringMatching(/^weights\/tied: .*key\.weight/),
  ]);
});

it('does not guess how a square matrix lies where others contradict one another', async () => {
  const layers: readonly Linear[] = [
    { name: '/a/MatMul', sizes: [2, 3] },
    { name: '/b/MatMul', sizes: [3, 4] },
    { name: '/c/MatMul', sizes: [4, 4] },
  ];
  const biases = { 'a.bias': [3], 'b.bias': [4], 'c.bias': [4] };
  const mixed = { 'a.weight': [3, 2], 'b.weight': [3, 4], 'c.weight': [4, 4], ...biases };
  expect(await failure(applyToModel(linearModel(layers), { weights: checkpoint(mixed) }))).toEqual([
    expect.stringMatching(/^weights\/ambiguous: \/c\/MatMul could hold c either way round/),
  ]);
  const inputsFirst = { ...mixed, 'a.weight': [2, 3] };
  const filled = await applyToModel(linearModel(layers), { weights: checkpoint(inputsFirst) });
  expect((await constantsOf(filled))[4]!.values.slice(0, 3)).toEqual([2000, 2001, 2002]);
});

it('leaves out a mask of places, and no bias of that name', async () => {
  const weights = (shape: readonly number[]) => checkpoint({ ...twoLayers, 'h.attn.bias': shape });
  await applyToModel(linearModel(two), { weights: weights([1, 1, 4, 4]) });
  expect(await failure(applyToModel(linearModel(two), { weights: weights([4]) }))).toEqual([
    expect.stringMatching(/^weights\/extra: h\.attn\.bias/),
  ]);
});

it('tells that further graphs of a model are left', async () => {
  const model = linearModel(two);
  const report = new Report();
  const both = new Model(
    new Map([
      ['main', model.graph],
      ['train', new Graph('train')],
    ]),
  );
  await applyToModel(both, { weights: checkpoint(twoLayers), report });
  expect(report.diagnostics.map(({ code }) => code)).toEqual(['core/entries-left']);
});
