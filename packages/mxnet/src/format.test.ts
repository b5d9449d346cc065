import { readFileSync } from 'node:fs';
import {
  ByteHandle,
  convert,
  ConversionError,
  Graph,
  memorySource,
  MemorySink,
  ops,
  Report,
  symbol,
  tensor,
  Weight,
  Model,
  type Source,
  type TensorMapping,
  type ValueMapping,
  openModel,
  writeModel,
} from '@drover/core';
import { resultOf } from '@drover/core/format';
import { readSymbol } from './codec/decode-symbol.js';
import { encodeParams } from './codec/encode-params.js';
import { mxnet } from './format.js';

const models = new URL('../../../fixtures/models/', import.meta.url);
const bytes = (path: string) => new Uint8Array(readFileSync(new URL(path, models)));
const text = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

const files = (name: string, symbolFile = 'model-symbol.json') =>
  new Map([
    ['model-symbol.json', bytes(`${name}/${symbolFile}`)],
    ['model-0000.params', bytes(`${name}/model-0000.params`)],
  ]);

const read = async (source: Source, params?: Source) => {
  const report = new Report();
  return { model: await openModel(source, mxnet, { report, params }), report };
};

const inputsOf = ({ graph }: Model) => graph.inputs.map(String);

const code = async (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: { diagnostics: readonly { code: string }[] }) => error.diagnostics[0]!.code,
  );

/** A symbol of variables and one operator over all of them. */
const symbolOf = (
  op: string,
  variables: readonly string[],
  attrs: Readonly<Record<string, string>> = {},
) => ({
  nodes: [
    ...variables.map((name) => ({ op: 'null', name, inputs: [] })),
    { op, name: 'node', attrs, inputs: variables.map((_, i) => [i, 0, 0]) },
  ],
  arg_nodes: variables.map((_, i) => i),
  heads: [[variables.length, 0, 0]],
  attrs: { mxnet_version: ['int', 10901] },
});
const sourceOf = (json: unknown) =>
  memorySource('m-symbol.json', new Map([['m-symbol.json', text(json)]]));

describe('reading', () => {
  // Ranks and channels: Convolution kernels (5, 5) over 1 channel, an Embedding before a time-major
  // LSTM of state size 13, GRU of 4 features.
  it.each([
    ['mxnet-lenet', ['data: float32[data_0, 1, data_2, data_3]']],
    ['mxnet-lstm', ['data: float32[data_0, data_1]']],
    [
      'mxnet-gru',
      [
        'data: float32[data_0, data_1, 4]',
        'length: float32[data_1]',
        'state: float32[2, data_1, 7]',
        'tanh_state: float32[2, data_1, 5]',
      ],
    ],
    ['mxnet-transformer', ['data0: float32[data0_0, data0_1]', 'data1: float32[data1_0]']],
  ])(
    '%s: the shapes of inputs follow from operators and parameters, and labels are no inputs',
    async (name, inputs) => {
      const { model, report } = await read(memorySource('model-symbol.json', files(name)));
      expect(inputsOf(model)).toEqual(inputs);
      expect(report.diagnostics).toEqual([]);
    },
  );

  it('takes variables of one name for one, as arrays are bound by name', async () => {
    const { model } = await read(sourceOf(symbolOf('broadcast_add', ['x', 'x'])));
    expect(inputsOf(model)).toEqual(['x: float32[…]']);
    expect([...model.graph.nodes].map(({ inputs }) => inputs.map((value) => value?.name))).toEqual([
      ['x', 'x'],
    ]);
  });

  it.each(['old_attr-symbol.json', 'old_param-symbol.json'])(
    '%s: older spellings give the same graph',
    async (file) => {
      const old = await read(memorySource('model-symbol.json', files('mxnet-lenet', file)));
      const now = await read(memorySource('model-symbol.json', files('mxnet-lenet')));
      expect([...old.model.graph.nodes].map(({ op, attrs }) => [op.name, attrs])).toEqual(
        [...now.model.graph.nodes].map(({ op, attrs }) => [op.name, attrs]),
      );
      expect(inputsOf(old.model)).toEqual(inputsOf(now.model));
    },
  );

  it('has the stored arrays in a store, as the file orders them, also what nothing uses', async () => {
    const sink = new MemorySink();
    const file = await sink.create('m.params');
    const array = (name: string) => ({
      name,
      dtype: 'float32' as const,
      shape: [1],
      bytes: ByteHandle.of(new Uint8Array(4)),
    });
    const arrays = ['aux:spare', 'arg:w', 'arg:left'].map(array);
    await encodeParams(file, arrays, 'm.params');
    await file.close();
    await sink.commit();
    const { model, report } = await read(
      sourceOf(symbolOf('broadcast_add', ['x', 'w'])),
      memorySource('m.params', sink.files),
    );
    expect([...model.store].map(({ name, role }) => [name, role])).toEqual([
      ['spare', 'buffer'],
      ['w', 'parameter'],
      ['left', 'parameter'],
    ]);
    expect(report.diagnostics.map(({ code: each, origin }) => [each, origin.node])).toEqual([
      ['mxnet/unused-param', 'spare'],
      ['mxnet/unused-param', 'left'],
    ]);
  });

  it('fix_gamma stands for ones, whatever is stored', async () => {
    const { model } = await read(memorySource('model-symbol.json', files('mxnet-lenet')));
    const norm = [...model.graph.nodes].find(({ name }) => name === 'bn1')!;
    const scale = norm.inputs[1]!.constant!.peek()!;
    expect(new Set(scale.data as Float64Array)).toEqual(new Set([1]));
  });

  it('takes the latest epoch, or the file that is named', async () => {
    const given = files('mxnet-lenet');
    const weights = given.get('model-0000.params')!;
    const several = new Map([
      ['model-symbol.json', given.get('model-symbol.json')!],
      ['model-0001.params', text('no params')],
      ['model-0012.params', weights],
      ['other.params', text('no params')],
    ]);
    await read(memorySource('model-symbol.json', several));
    const apart = new Map([
      ['model-symbol.json', given.get('model-symbol.json')!],
      ['elsewhere.bin', weights],
    ]);
    expect(await code(read(memorySource('model-symbol.json', apart)))).toBe('core/missing-file');
    await read(memorySource('model-symbol.json', apart), memorySource('elsewhere.bin', apart));
  });

  it.each([
    ['_arange', [], { start: '0', stop: '1e15' }],
    ['_arange', [], { start: '0', stop: '1', step: '0' }],
    ['GridGenerator', ['x'], { transform_type: 'affine', target_shape: '(100000, 100000)' }],
  ] as const)(
    '%s of more numbers than can be written out stays what it is: %j %j',
    async (type, inputs, attrs) => {
      const { model } = await read(sourceOf(symbolOf(type, inputs, attrs)));
      const reasons = [...model.graph.nodes].map(
        (node) => (node.attrs as { readonly reason: string }).reason,
      );
      expect(reasons).toEqual([
        expect.stringMatching(/^it makes .* numbers, and at most 4194304 are written out/),
      ]);
    },
  );

  it('an unknown operator, and an attribute that nothing reads, are told', async () => {
    const { model } = await read(sourceOf(symbolOf('_contrib_fft', ['x'])));
    expect([...model.graph.nodes].map(({ attrs }) => attrs)).toEqual([
      expect.objectContaining({
        format: 'mxnet',
        type: '_contrib_fft',
        reason: 'there is no rule for this operator',
      }),
    ]);
    const { report } = await read(
      sourceOf(symbolOf('_np_sum', ['x'], { axis: '()', dtype: 'float32', initial: 'None' })),
    );
    expect(report.diagnostics).toEqual([]);
  });

  it.each<readonly [string, unknown, string]>([
    [
      'a head that is no output of its node',
      { ...symbolOf('relu', ['x']), heads: [[1, 3, 0]] },
      'mxnet/symbol',
    ],
    [
      'an operator without its input',
      {
        ...symbolOf('relu', []),
        nodes: [{ op: 'relu', name: 'node', inputs: [] }],
        arg_nodes: [],
        heads: [[0, 0, 0]],
      },
      'mxnet/symbol',
    ],
    [
      'an attribute of a wrong kind',
      symbolOf('transpose', ['x'], { axes: 'sideways' }),
      'mxnet/attribute',
    ],
    [
      'a body that is not there',
      symbolOf('_foreach', ['x'], {
        num_args: '2',
        num_outputs: '1',
        num_out_data: '1',
        in_data_locs: '(0,)',
        in_state_locs: '()',
        remain_locs: '()',
      }),
      'mxnet/symbol',
    ],
    ['text that is no JSON', '{"nodes": [', 'core/json'],
  ])('%s is an error with its code', async (_, json, expected) => {
    expect(await code(read(sourceOf(json)))).toBe(expected);
  });

  it('is recognised by content', async () => {
    expect(
      await mxnet.detect(
        memorySource('model-symbol.json', files('mxnet-lenet', 'old_param-symbol.json')),
      ),
    ).toBe('model');
    expect(
      await mxnet.detect(
        memorySource('m', new Map([['m', text({ modelTopology: { node: [] } })]])),
      ),
    ).toBe(undefined);
    expect(
      await mxnet.detect(
        memorySource('m', new Map([['m', bytes('mxnet-lenet/model-0000.params')]])),
      ),
    ).toBe('checkpoint');
  });
});

const modelOf = (graph: Graph): Model => new Model(graph, { file: 'm' });

async function written(model: Model): Promise<{
  files: ReadonlyMap<string, Uint8Array>;
  tensors: readonly TensorMapping[];
  values: readonly ValueMapping[];
  report: Report;
}> {
  const sink = new MemorySink();
  const report = new Report();
  const request = { to: mxnet, sink, path: 'net-symbol.json', report };
  const { tensors, values } = await writeModel(model, request);
  return { files: sink.files, tensors, values, report };
}

const operatorsOf = async (given: ReadonlyMap<string, Uint8Array>) =>
  (await readSymbol(memorySource('net-symbol.json', given))).graph.nodes.flatMap(({ op, attrs }) =>
    op === null ? [] : [[op, Object.fromEntries(attrs)] as const],
  );

describe('writing', () => {
  it('computes products of float16 in float32', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float16', [symbol('n'), 2]);
    const w = graph.constant(Weight.from(tensor('float16', [2, 1], [3, 4]), 'kernel'), 'w');
    graph.output('y', graph.add(ops.MatMul, { a: x, b: w }, {}, { name: 'y' }).y);
    const { files: given, tensors } = await written(modelOf(graph));
    expect((await operatorsOf(given)).map(([op, { dtype }]) => [op, dtype])).toEqual([
      ['Cast', 'float32'],
      ['FullyConnected', undefined],
      ['Cast', 'float16'],
    ]);
    expect(tensors[0]!.transform.steps).toContainEqual({ kind: 'cast', dtype: 'float32' });
  });

  it('a dense layer becomes one operator, its weight transposed back, its bias within', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [symbol('n'), 3]);
    const w = graph.constant(
      Weight.from(tensor('float32', [3, 2], [1, 2, 3, 4, 5, 6]), 'kernel'),
      'w',
    );
    const b = graph.constant(Weight.from(tensor('float32', [2], [7, 8]), 'bias'), 'b');
    const product = graph.add(ops.MatMul, { a: x, b: w }, {}, { name: 'product' }).y;
    graph.output('y', graph.add(ops.Add, { a: product, b }, {}, { name: 'sum' }).y);
    const { files: given, tensors } = await written(modelOf(graph));
    expect([...given.keys()]).toEqual(['net-0000.params', 'net-symbol.json']);
    expect(await operatorsOf(given)).toEqual([
      ['FullyConnected', { num_hidden: '2', no_bias: 'False', flatten: 'False' }],
    ]);
    expect(tensors).toEqual([
      {
        source: 'kernel',
        target: 'w',
        transform: {
          dtype: 'float32',
          shape: [3, 2],
          steps: [{ kind: 'transpose', perm: [1, 0] }],
        },
      },
      {
        source: 'bias',
        target: 'b',
        transform: { dtype: 'float32', shape: [2], steps: [] },
      },
    ]);
  });

  it('everything without a form is told at once, and nothing is written', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [4]);
    graph.output(
      'places',
      graph.add(
        ops.NonZero,
        { x },
        {},
        { name: 'places', origin: { file: 'm', path: [], node: 'n1', op: 'NonZero' } },
      ).y,
    );
    const integers = graph.input('i', 'int32', [4]);
    graph.output(
      'bits',
      graph.add(
        ops.BitwiseNot,
        { x: integers },
        {},
        { name: 'bits', origin: { file: 'm', path: [], node: 'n2', op: 'BitwiseNot' } },
      ).y,
    );
    graph.output('scalar', graph.input('s', 'float32', []));
    const sink = new MemorySink();
    const error: unknown = await writeModel(modelOf(graph), { to: mxnet, sink }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ConversionError);
    expect(
      (error as ConversionError).diagnostics.map(({ code, origin }) => [code, origin.node]),
    ).toEqual([
      ['core/not-convertible', 's'],
      ['core/not-convertible', 'n1'],
      ['core/not-convertible', 'n2'],
    ]);
    await sink.commit();
    expect(sink.files.size).toBe(0);
  });

  it('a scalar output is told to become a list', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [4]);
    const origin = { file: 'm', path: [], node: 'total', op: 'Sum' };
    const { y } = graph.add(ops.ReduceSum, { x }, { axes: [0], keepdims: false }, { origin });
    y.origin = resultOf(origin, 0, 'total');
    graph.output('total', y);
    const { report, values } = await written(modelOf(graph));
    expect(report.diagnostics.map(({ code: each }) => each)).toEqual(['mxnet/scalar-output']);
    expect(values.map(({ source, target }) => [source.name, source.view, target])).toEqual([
      ['x', undefined, 'x'],
      ['total', { shape: [] }, 'total_output'],
    ]);
  });

  it.each(['mxnet-lenet', 'mxnet-lstm', 'mxnet-segmenter', 'mxnet-transformer'])(
    '%s: equal input gives equal bytes',
    async (name) => {
      const once = async () =>
        (await written((await read(memorySource('model-symbol.json', files(name)))).model)).files;
      expect(await once()).toEqual(await once());
    },
  );

  it('a copy keeps every name and every bit', async () => {
    const given = files('mxnet-lenet');
    const sink = new MemorySink();
    await convert({
      from: mxnet,
      to: mxnet,
      source: memorySource('model-symbol.json', given),
      sink,
    });
    await sink.commit();
    expect(sink.files.get('model-0000.params')).toEqual(given.get('model-0000.params'));
    expect(new TextDecoder().decode(sink.files.get('model-symbol.json'))).toBe(
      new TextDecoder().decode(given.get('model-symbol.json')),
    );
  });
});
