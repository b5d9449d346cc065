import {
  convert,
  DroverError,
  evaluate,
  Graph,
  MemorySink,
  memorySource,
  Model,
  openModel,
  ops,
  planModel,
  Report,
  tensor,
  Weight,
  writeModel,
  type Sink,
  type Source,
} from '@drover/core';
import type { JsonValue } from '@drover/core/format';
import { __name__ } from './format.js';

/** y = softmax(max(x · w, 0) * x), where each row of x is as long as w has columns. */
function example(): Model {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2, 2]);
  const w = graph.constant(Weight.from(tensor('float32', [2, 2], [1, 0, 0, -1]), 'w'), 'w');
  const { y: product } = graph.add(ops.MatMul, { a: x, b: w }, {});
  const { y: positive } = graph.add(ops.Relu, { x: product }, {});
  const { y: scaled } = graph.add(ops.Mul, { a: positive, b: x }, {});
  graph.output('y', graph.add(ops.Softmax, { x: scaled }, { axis: 1 }).y);
  return new Model(graph, { metadata: new Map([['author', 'me']]) });
}

const failing = (code: string) =>
  expect.objectContaining({
    diagnostics: expect.arrayContaining([expect.objectContaining({ code })]),
  });

async function written(make: (sink: Sink) => Promise<unknown>): Promise<Source> {
  const sink = new MemorySink();
  await make(sink);
  return memorySource('model.__name__', sink.files);
}

/** A model file that says this beside what each one says. */
function sourceOf(says: { readonly [key: string]: JsonValue }): Source {
  const json = { format: '__name__', version: 1, ...says };
  const bytes = new TextEncoder().encode(JSON.stringify(json));
  return memorySource('model.__name__', new Map([['model.__name__', bytes]]));
}

it('writes a model that reads back and computes the same', async () => {
  const source = await written((sink) => writeModel(example(), { to: __name__, sink }));
  expect(await source.siblings()).toEqual(['model.__name__', 'model.__name__.weights']);
  expect(await __name__.detect(source)).toBe('model');
  const model = await openModel(source, __name__);
  expect([...model.operators]).toEqual([
    ['matmul', 1],
    ['relu', 1],
    ['multiply', 1],
    ['softmax', 1],
  ]);
  expect([...model.metadata]).toEqual([['author', 'me']]);
  // max(x · w, 0) * x is [[1, 0], [0, -1]]: either row gives e / (e + 1) and 1 / (e + 1).
  const results = await evaluate(model.graph, [tensor('float32', [2, 2], [1, 2, -1, -1])]);
  const [more, less] = [Math.E / (Math.E + 1), 1 / (Math.E + 1)];
  const expected = [more, less, more, less];
  [...results.get('y')!.data].forEach((each, i) => expect(each).toBeCloseTo(expected[i]!, 6));
});

it('copies a model byte for byte', async () => {
  const source = await written((sink) => writeModel(example(), { to: __name__, sink }));
  const copy = await written((sink) => convert({ from: __name__, to: __name__, source, sink }));
  for (const name of await source.siblings())
    expect(await (await copy.sibling(name)).read()).toEqual(
      await (await source.sibling(name)).read(),
    );
});

it('keeps an operator that it does not know, and its attributes', async () => {
  const source = sourceOf({
    inputs: [{ name: 'x', dtype: 'float32', shape: [2] }],
    operators: [
      { type: 'twist', name: 't', inputs: ['x'], outputs: ['y'], attributes: { angle: 3 } },
    ],
    outputs: [{ name: 'y', value: 'y' }],
  });
  const { graph } = await openModel(source, __name__);
  expect([...graph.nodes].map(({ op, attrs }) => [op.name, attrs])).toEqual([
    ['Foreign', expect.objectContaining({ type: 'twist', attributes: { angle: 3 } })],
  ]);
});

it('tells what it cannot write, and where', async () => {
  const graph = new Graph();
  const x = graph.input('x', 'string', [2]);
  graph.output('y', x);
  const report = new Report();
  await planModel(new Model(graph), { to: __name__, report });
  expect(report.diagnostics.map(({ code, origin }) => [code, origin.node])).toEqual([
    ['core/not-convertible', 'x'],
    ['core/not-convertible', 'y'],
  ]);
});

const x = { name: 'x', dtype: 'float32', shape: [2] };
it.each<[string, string, { readonly [key: string]: JsonValue }]>([
  ['another version', '__name__/version', { version: 2 }],
  ['an element type that there is not', 'core/json', { inputs: [{ ...x, dtype: 'float31' }] }],
  ['two values of one name', 'core/duplicate', { inputs: [x, x] }],
  ['an output that nothing makes', '__name__/graph', { outputs: [{ name: 'y', value: 'z' }] }],
  ['weights that are not there', 'core/missing-file', { tensors: [{ ...x, offset: 0 }] }],
  [
    'too few operands',
    '__name__/graph',
    { inputs: [x], operators: [{ type: 'add', name: 'a', inputs: ['x'], outputs: ['y'] }] },
  ],
  [
    'an attribute that is missing',
    '__name__/attribute',
    { inputs: [x], operators: [{ type: 'softmax', name: 's', inputs: ['x'], outputs: ['y'] }] },
  ],
])('refuses %s', async (_, code, says) => {
  const error: unknown = await openModel(sourceOf(says), __name__).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DroverError);
  expect(error).toEqual(failing(code));
});
