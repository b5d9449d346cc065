import {
  convert,
  DroverError,
  evaluate,
  Graph,
  memorySource,
  MemorySink,
  ops,
  printGraph,
  Report,
  symbol,
  tensor,
  Weight,
  type ConversionReport,
  Model,
  openModel,
  writeModel,
} from '@drover/core';
import type { JsonValue } from '@drover/core/format';
import type { OptionValues } from '@drover/core/option';
import { tfjs } from './format.js';

type Attr = Readonly<Record<string, JsonValue>>;

const node = (
  name: string,
  op: string,
  input: readonly string[] = [],
  attr: Readonly<Record<string, Attr>> = {},
): JsonValue => ({
  name,
  op,
  ...(input.length > 0 && { input }),
  attr,
});
const float: Attr = { type: 'DT_FLOAT' };
const T = { T: float };
const placeholder = (name: string, ...dims: readonly number[]): JsonValue =>
  node(name, 'Placeholder', [], {
    dtype: float,
    shape: { shape: { dim: dims.map((size) => ({ size: String(size) })) } },
  });
const ints = (name: string): JsonValue => node(name, 'Const', [], { dtype: { type: 'DT_INT32' } });

/** A model.json with int32 weights, and their bytes. */
function source(
  nodes: readonly JsonValue[],
  weights: Readonly<Record<string, readonly number[]>> = {},
  more: Readonly<Record<string, JsonValue>> = {},
) {
  const specs = Object.entries(weights).map(([name, values]) => ({
    name,
    shape: [values.length],
    dtype: 'int32',
  }));
  const manifest = specs.length > 0 ? [{ paths: ['w.bin'], weights: specs }] : [];
  const { library, ...rest } = more;
  const json = {
    format: 'graph-model',
    modelTopology: { node: nodes, ...(library !== undefined && { library }) },
    weightsManifest: manifest,
    ...rest,
  };
  const files = new Map([['model.json', new TextEncoder().encode(JSON.stringify(json))]]);
  if (specs.length > 0)
    files.set('w.bin', new Uint8Array(Int32Array.from(Object.values(weights).flat()).buffer));
  return memorySource('model.json', files);
}

const read = async (from: ReturnType<typeof source>, report = new Report()): Promise<Model> =>
  openModel(from, tfjs, { report });

async function failure(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof DroverError)
      return error.diagnostics.find(({ severity }) => severity === 'error')!.code;
    throw error;
  }
  return 'none';
}

const modelOf = (graph: Graph): Model => new Model(graph, { file: 'test' });

interface Written {
  readonly nodes: readonly {
    readonly name: string;
    readonly op: string;
    readonly input?: readonly string[];
  }[];
  readonly json: {
    readonly signature: {
      readonly inputs: Readonly<Record<string, { readonly name: string; readonly dtype: string }>>;
      readonly outputs: Readonly<Record<string, { readonly name: string }>>;
    };
    readonly weightsManifest: readonly {
      readonly paths: readonly string[];
      readonly weights: readonly { readonly quantization?: { readonly dtype: string } }[];
    }[];
  };
  readonly report: Report;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

async function write(
  graph: Graph,
  options: OptionValues<typeof tfjs.options.write> = {},
): Promise<Written> {
  const sink = new MemorySink();
  const report = new Report();
  await writeModel(modelOf(graph), { to: tfjs, sink, options, report });
  const json = JSON.parse(
    new TextDecoder().decode(sink.files.get('model.json')),
  ) as Written['json'] & {
    readonly modelTopology: { readonly node: Written['nodes'] };
  };
  return { json, nodes: json.modelTopology.node, report, files: sink.files };
}

describe('reading', () => {
  test('nodes may come in any order, and outputs in the order of the signature', async () => {
    const signature = {
      inputs: { a: { name: 'x:0', dtype: 'DT_FLOAT' } },
      outputs: {
        second: { name: 'n:0', dtype: 'DT_FLOAT' },
        first: { name: 'r:0', dtype: 'DT_FLOAT' },
      },
    };
    const { graph } = await read(
      source(
        [node('n', 'Neg', ['r', '^r'], T), node('r', 'Relu', ['x'], T), placeholder('x', -1, 3)],
        {},
        { signature },
      ),
    );
    expect(graph.inputs.map(String)).toEqual(['x: float32[x_0, 3]']);
    expect(graph.outputs.map(({ name, value }) => `${name} = ${value.producer!.op.name}`)).toEqual([
      'n = Neg',
      'r = Relu',
    ]);
  });

  test('a signature among the metadata counts, and does not stay there', async () => {
    const signature = {
      inputs: { a: { name: 'x:0', dtype: 'DT_FLOAT' } },
      outputs: { b: { name: 'r:0', dtype: 'DT_FLOAT' } },
    };
    const nodes = [
      placeholder('x', 3),
      node('r', 'Relu', ['x'], T),
      node('unused', 'Neg', ['x'], T),
    ];
    const { graph, metadata } = await read(
      source(
        nodes,
        {},
        { userDefinedMetadata: { signature, structuredOutputKeys: ['b'], note: 'kept' } },
      ),
    );
    expect(graph.outputs.map(({ name }) => name)).toEqual(['r']);
    expect([...metadata]).toEqual([['note', 'kept']]);
  });

  const types = { list: { type: ['DT_FLOAT'] } };
  test.each([
    ['by its name', node('call', 'f', ['x'])],
    [
      'as a partitioned call',
      node('call', 'PartitionedCall', ['x'], {
        f: { func: { name: 'f' } },
        Tin: types,
        Tout: types,
      }),
    ],
  ])('a function called %s is a Call, and its nodes once it is written', async (_, call) => {
    const signature = {
      name: 'f',
      inputArg: [{ name: 'a', type: 'DT_FLOAT' }],
      outputArg: [{ name: 'b', type: 'DT_FLOAT' }],
    };
    const body = {
      signature,
      nodeDef: [node('two', 'AddV2', ['a', 'a'], T)],
      ret: { b: 'two:z:0' },
    };
    const from = source([placeholder('x', 2), call], {}, { library: { function: [body] } });
    const { graph } = await read(from);
    expect(printGraph(graph)).toContain('Call(x) {"function":"f"}');
    expect((await evaluate(graph, [tensor('float32', [2], [1, 3])])).get('call')).toEqual(
      tensor('float32', [2], [2, 6]),
    );
    const sink = new MemorySink();
    await convert({ from: tfjs, to: tfjs, source: from, sink, options: { shardSize: 16 } });
    const again = await read(memorySource('model.json', sink.files));
    expect([...again.graph.nodes].map(({ op }) => op.name)).toEqual(['Add']);
  });

  test('a function that calls itself, a cycle, a missing node and a missing weight are malformed', async () => {
    const signature = {
      name: 'f',
      inputArg: [{ name: 'a', type: 'DT_FLOAT' }],
      outputArg: [{ name: 'b', type: 'DT_FLOAT' }],
    };
    const body = { signature, nodeDef: [node('again', 'f', ['a'])], ret: { b: 'again:b:0' } };
    expect(
      await failure(() =>
        read(
          source(
            [placeholder('x', 2), node('call', 'f', ['x'])],
            {},
            { library: { function: [body] } },
          ),
        ),
      ),
    ).toBe('graphdef/graph');
    const cycle = [
      placeholder('x', 2),
      node('a', 'AddV2', ['x', 'b'], T),
      node('b', 'Relu', ['a'], T),
      node('out', 'Neg', ['b'], T),
    ];
    expect(await failure(() => read(source(cycle)))).toBe('graphdef/graph');
    expect(await failure(() => read(source([node('a', 'Relu', ['nowhere'], T)])))).toBe(
      'graphdef/graph',
    );
    expect(
      await failure(() =>
        read(source([placeholder('x', 2), ints('shape'), node('y', 'Reshape', ['x', 'shape'], T)])),
      ),
    ).toBe('graphdef/graph');
  });

  test('every operator without a form is told, and nothing is written', async () => {
    const from = source([
      placeholder('x', 2),
      node('a', 'Digamma', ['x'], T),
      node('b', 'Lgamma', ['a'], T),
    ]);
    const sink = new MemorySink();
    const error = await convert({
      from: tfjs,
      to: tfjs,
      source: from,
      sink,
      options: { shardSize: 1 },
    }).catch((caught: unknown) => caught);
    expect(
      (error as DroverError).diagnostics.map(
        ({ code, origin }) => `${code} ${origin.op} ${origin.node}`,
      ),
    ).toEqual(['core/foreign-op Digamma a', 'core/foreign-op Lgamma b']);
    expect(sink.files.size).toBe(0);
  });

  test('a dilated convolution that TensorFlow spells with blocks of space is one', async () => {
    const filter = { name: 'w', shape: [3, 3, 1, 2], dtype: 'float32' };
    const nodes = [
      placeholder('x', 1, 8, 8, 1),
      ints('block'),
      ints('pads'),
      ints('crops'),
      node('w', 'Const', [], { dtype: float }),
      node('pairs', 'Reshape', ['pads', 'two'], T),
      node('cropPairs', 'Reshape', ['crops', 'two'], T),
      ints('two'),
      node('s', 'SpaceToBatchND', ['x', 'block', 'pairs'], T),
      node('c', 'Conv2D', ['s', 'w'], {
        ...T,
        strides: { list: { i: ['1', '1', '1', '1'] } },
        padding: { s: btoa('VALID') },
      }),
      node('y', 'BatchToSpaceND', ['c', 'block', 'cropPairs'], T),
    ];
    const numbers = { block: [2, 2], pads: [2, 2, 2, 2], crops: [0, 0, 0, 0], two: [2, 2] };
    const specs = [
      ...Object.entries(numbers).map(([name, values]) => ({
        name,
        shape: [values.length],
        dtype: 'int32',
      })),
      filter,
    ];
    const bytes = Buffer.concat([
      Buffer.from(Int32Array.from(Object.values(numbers).flat()).buffer),
      Buffer.alloc(18 * 4),
    ]);
    const json = {
      modelTopology: { node: nodes },
      weightsManifest: [{ paths: ['w.bin'], weights: specs }],
    };
    const { graph } = await read(
      memorySource(
        'model.json',
        new Map([
          ['model.json', Buffer.from(JSON.stringify(json))],
          ['w.bin', bytes],
        ]),
      ),
    );
    const [conv] = [...graph.nodes];
    expect(graph.size).toBe(1);
    expect(conv!.attrs).toMatchObject({
      dilations: [2, 2],
      pads: [2, 2, 2, 2],
      padding: 'explicit',
    });
  });
});

describe('writing', () => {
  /** x [N, 3, 8, 8] through two convolutions, as ONNX has them. */
  function convolutions(): Graph {
    const graph = new Graph();
    let y = graph.input('x', 'float32', [symbol('N'), 3, 8, 8]);
    for (const [from, to] of [
      [3, 4],
      [4, 5],
    ] as const) {
      const w = graph.constant(
        Weight.from(tensor('float32', [to, from, 3, 3], new Array(to * from * 9).fill(0.1))),
        'w',
      );
      const attrs = {
        layout: 'channelsFirst',
        strides: [1, 1],
        dilations: [1, 1],
        padding: 'explicit',
        pads: [1, 1, 1, 1],
        groups: 1,
      } as const;
      y = graph.add(ops.Relu, { x: graph.add(ops.Conv, { x: y, w }, attrs).y }, {}).y;
    }
    graph.output('y', graph.add(ops.ReduceMean, { x: y }, { axes: [2, 3], keepdims: false }).y);
    return graph;
  }

  test('channels go last once, at the input', async () => {
    const { nodes } = await write(convolutions());
    expect(nodes.filter(({ op }) => op !== 'Const').map(({ op }) => op)).toEqual([
      'Placeholder',
      'Transpose',
      'Conv2D',
      'Relu',
      'Conv2D',
      'Relu',
      'Mean',
    ]);
  });

  test('an input in the layout of the target needs no transpose', async () => {
    const { nodes } = await write(convolutions(), { inputLayout: 'nhwc' });
    expect(nodes.map(({ op }) => op)).not.toContain('Transpose');
  });

  test('equal input gives equal bytes', async () => {
    const [a, b] = [await write(convolutions()), await write(convolutions())];
    expect([...a.files]).toEqual([...b.files]);
  });

  test('names stay where TensorFlow takes them; the others are the keys of the signature, and come back', async () => {
    const graph = new Graph();
    const x = graph.input('in:put', 'float32', [2]);
    graph.output('12', graph.add(ops.Neg, { x }, {}).y);
    graph.output('same', x);
    const { json, files } = await write(graph);
    expect(json.signature.inputs).toMatchObject({ 'in:put': { name: 'in_put:0' } });
    expect(Object.entries(json.signature.outputs).map(([key, { name }]) => [key, name])).toEqual([
      ['tensor_12', '12:0'],
      ['same', 'same:0'],
    ]);
    const { graph: again } = await openModel(memorySource('model.json', files), tfjs);
    expect(again.inputs.map(({ name }) => name)).toEqual(['in:put']);
    expect(again.outputs.map(({ name }) => name)).toEqual(['12', 'same']);
  });

  test('64-bit integers become int32, which is told; a constant that does not fit is an error before anything is written', async () => {
    const graph = (addend: bigint): Graph => {
      const made = new Graph();
      const a = made.input('ids', 'int64', [2]);
      made.output('y', made.add(ops.Add, { a, b: made.literal('int64', [], [addend]) }, {}).y);
      return made;
    };
    const { json, report } = await write(graph(7n));
    expect(json.signature.inputs['ids']!.dtype).toBe('DT_INT32');
    expect(report.diagnostics.map(({ code }) => code)).toContain('core/dtype-narrowed');
    expect(await failure(() => write(graph(2n ** 31n)))).toBe('tfjs/narrowing');
  });

  test('float weights are stored as asked, in shards of the size asked', async () => {
    const { json, files } = await write(convolutions(), { quantize: 'u8', shardSize: 100 });
    expect(
      json.weightsManifest[0]!.weights.some(({ quantization }) => quantization?.dtype === 'uint8'),
    ).toBe(true);
    expect(
      [...files].filter(([name]) => name.endsWith('.bin')).every(([, { length }]) => length <= 100),
    ).toBe(true);
    expect(json.weightsManifest[0]!.paths.length).toBeGreaterThan(1);
  });
});

describe('the format', () => {
  test('is known by content', async () => {
    expect(await tfjs.detect(source([placeholder('x', 1)]))).toBe('model');
    expect(
      await tfjs.detect(
        memorySource('a.json', new Map([['a.json', new TextEncoder().encode('{"nodes": []}')]])),
      ),
    ).toBe(undefined);
    expect(
      await tfjs.detect(memorySource('a.json', new Map([['a.json', new Uint8Array([8, 9])]]))),
    ).toBe(undefined);
  });

  test('within itself a model is written again to the bit, operators without a form included', async () => {
    const from = source([placeholder('x', 2), ints('k'), node('y', 'Digamma', ['x'], T)], {
      k: [1, 2, 3],
    });
    const sink = new MemorySink();
    const report: ConversionReport = await convert({ from: tfjs, to: tfjs, source: from, sink });
    expect(report.diagnostics).toEqual([]);
    expect(sink.files.get('group1-shard1of1.bin')).toEqual(
      await (await from.sibling('w.bin')).read(),
    );
    const again = JSON.parse(new TextDecoder().decode(sink.files.get('model.json'))) as {
      modelTopology: { node: unknown };
    };
    expect(again.modelTopology.node).toEqual(
      (JSON.parse(new TextDecoder().decode(await from.read())) as typeof again).modelTopology.node,
    );
  });
});
