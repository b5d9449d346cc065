import '@tensorflow/tfjs-backend-cpu';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import {
  evaluate,
  Graph,
  memorySource,
  MemorySink,
  ops,
  tensor,
  toNumbers,
  Model,
  type Value,
  openModel,
  writeModel,
} from '@drover/core';
import { tfjs } from '../format.js';

type Topology = {
  readonly modelTopology: {
    readonly node: readonly { readonly op: string; readonly name: string }[];
  };
};

const input = [-2, -1, 1, 2];

/**
 * What TF.js computes for an operand of -2, -1, 1, 2, and the operators of the written model beside
 * constants and inputs.
 */
async function written(
  build: (graph: Graph, x: Value) => Readonly<Record<string, Value>>,
  shape: readonly number[],
) {
  const graph = new Graph();
  for (const [name, value] of Object.entries(build(graph, graph.input('x', 'float32', shape))))
    graph.output(name, value);
  const model = new Model(graph, { file: 'test' });
  const sink = new MemorySink();
  await writeModel(model, { to: tfjs, sink });
  const json = JSON.parse(
    new TextDecoder().decode(sink.files.get('model.json')),
  ) as tf.io.ModelJSON & Topology;
  const shards = json.weightsManifest.flatMap(({ paths }) =>
    paths.map((path) => sink.files.get(path)!),
  );
  const artifacts = {
    ...json,
    weightSpecs: json.weightsManifest.flatMap(({ weights }) => weights),
    weightData: new Uint8Array(Buffer.concat(shards)).buffer,
  };
  await tf.setBackend('cpu');
  const loaded = await loadGraphModel({
    load: async () => artifacts as unknown as tf.io.ModelArtifacts,
  });
  const results = [
    loaded.execute(
      tf.tensor(input, [...shape]),
      graph.outputs.map(({ name }) => name),
    ) as tf.Tensor | tf.Tensor[],
  ].flat();
  const again = await openModel(memorySource('model.json', sink.files), tfjs);
  const read = await evaluate(again.graph, [tensor('float32', shape, input)]);
  return {
    operators: json.modelTopology.node
      .map(({ op }) => op)
      .filter((op) => op !== 'Const' && op !== 'Placeholder'),
    results: results.map((each) => Array.from(each.dataSync())),
    read: [...read.values()].map((each) => Array.from(toNumbers(each))),
  };
}

const image = [1, 2, 2, 1];

/** Twice an image, plus a half. */
function convolved(graph: Graph, x: Value): Value {
  const window = {
    layout: 'channelsLast',
    strides: [1, 1],
    dilations: [1, 1],
    padding: 'explicit',
    pads: [0, 0, 0, 0],
    groups: 1,
  } as const;
  return graph.add(
    ops.Conv,
    {
      x,
      w: graph.literal('float32', [1, 1, 1, 1], [2]),
      bias: graph.literal('float32', [1], [0.5]),
    },
    window,
  ).y;
}

/** Twice a row of numbers, plus a half. */
function multiplied(graph: Graph, x: Value): Value {
  const { y } = graph.add(ops.MatMul, { a: x, b: graph.literal('float32', [1, 1], [2]) }, {});
  return graph.add(ops.Add, { a: graph.literal('float32', [1], [0.5]), b: y }, {}).y;
}

test.each([
  { op: '_FusedConv2D', product: convolved, shape: image },
  { op: '_FusedMatMul', product: multiplied, shape: [4, 1] },
])('$op takes the bias and the activation', async ({ op, product, shape }) => {
  const plain = await written((graph, x) => ({ y: product(graph, x) }), shape);
  expect(plain).toEqual({
    operators: [op],
    results: [[-3.5, -1.5, 2.5, 4.5]],
    read: [[-3.5, -1.5, 2.5, 4.5]],
  });
  const clipped = await written(
    (graph, x) => ({ y: graph.add(ops.Relu, { x: product(graph, x) }, {}).y }),
    shape,
  );
  expect(clipped).toEqual({
    operators: [op],
    results: [[0, 0, 2.5, 4.5]],
    read: [[0, 0, 2.5, 4.5]],
  });
  const leaky = await written(
    (graph, x) => ({ y: graph.add(ops.LeakyRelu, { x: product(graph, x) }, { alpha: 0.5 }).y }),
    shape,
  );
  expect(leaky).toEqual({
    operators: [op],
    results: [[-1.75, -0.75, 2.5, 4.5]],
    read: [[-1.75, -0.75, 2.5, 4.5]],
  });
});

test('a depthwise convolution takes the bias and the activation', async () => {
  const { operators, results } = await written(
    (graph, x) => {
      const w = graph.literal('float32', [2, 1, 1, 1], [2, 3]);
      const window = {
        layout: 'channelsLast',
        strides: [1, 1],
        dilations: [1, 1],
        padding: 'explicit',
        pads: [0, 0, 0, 0],
        groups: 2,
      } as const;
      const { y } = graph.add(
        ops.Conv,
        { x, w, bias: graph.literal('float32', [2], [1, -1]) },
        window,
      );
      return { y: graph.add(ops.Clip, { x: y }, { min: 0, max: 6 }).y };
    },
    [1, 1, 2, 2],
  );
  expect({ operators, results }).toEqual({
    operators: ['FusedDepthwiseConv2dNative'],
    results: [[0, 0, 3, 5]],
  });
});

test('what something else reads stays', async () => {
  const { operators, results } = await written((graph, x) => {
    const sum = convolved(graph, x);
    return { sum, positive: graph.add(ops.Relu, { x: sum }, {}).y };
  }, image);
  expect({ operators, results }).toEqual({
    operators: ['_FusedConv2D', 'Relu'],
    results: [
      [-3.5, -1.5, 2.5, 4.5],
      [0, 0, 2.5, 4.5],
    ],
  });
});
