import '@tensorflow/tfjs-backend-cpu';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import {
  addDim,
  floorDivDim,
  Graph,
  memorySource,
  MemorySink,
  mulDim,
  ops,
  symbol,
  type AttrValues,
  type Dim,
  Model,
  openModel,
  writeModel,
} from '@drover/core';
import { tfjs } from './format.js';

/** A model in TF.js on its cpu backend: its only output for its only input, a float32 tensor. */
async function runner(graph: Graph): Promise<(x: tf.Tensor) => tf.Tensor> {
  const model = new Model(graph, { file: 'test' });
  const sink = new MemorySink();
  await writeModel(model, { to: tfjs, sink });
  // What is written can be read again.
  await openModel(memorySource('model.json', sink.files), tfjs);
  const json = JSON.parse(
    new TextDecoder().decode(sink.files.get('model.json')),
  ) as tf.io.ModelJSON;
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
  return (x) => loaded.execute(x) as tf.Tensor;
}

const count = (size: number): readonly number[] => Array.from({ length: size }, (_, i) => i + 1);

const expectSequence = (made: tf.Tensor, wanted: readonly number[]) =>
  expect(Array.from(made.dataSync(), (each) => Number(each.toFixed(5)))).toEqual(wanted);

type Pooling = AttrValues<(typeof ops.MaxPool)['attrs']>;

interface Pooled {
  readonly means: string;
  readonly op: 'MaxPool' | 'AveragePool';
  readonly attrs: Partial<Pooling> & { readonly kernel: readonly number[] };
  readonly countIncludePad?: boolean;
  /** Results for a sequence 1, 2, 3, … by its length. */
  readonly results: Readonly<Record<number, readonly number[]>>;
}

// Hand arithmetic, by the definition of ONNX's MaxPool-22 and AveragePool-22.
const pools: readonly Pooled[] = [
  {
    means: 'the largest of rounded-up windows',
    op: 'MaxPool',
    attrs: { kernel: [3], strides: [2], ceil: true },
    results: { 4: [3, 4], 5: [3, 5], 6: [3, 5, 6] },
  },
  {
    means: 'the largest of rounded-up windows with padding',
    op: 'MaxPool',
    attrs: { kernel: [3], strides: [2], pads: [1, 1], ceil: true },
    results: { 4: [2, 4, 4], 5: [2, 4, 5] },
  },
  {
    means: 'windows that may start behind the end',
    op: 'MaxPool',
    attrs: { kernel: [1], strides: [2], ceil: true },
    results: { 4: [1, 3], 5: [1, 3, 5] },
  },
  {
    means: 'the largest, the odd pad in front',
    op: 'MaxPool',
    attrs: { kernel: [2], strides: [2], padding: 'sameLower' },
    results: { 3: [1, 3], 4: [2, 4] },
  },
  {
    means: 'the largest of spread taps',
    op: 'MaxPool',
    attrs: { kernel: [2], dilations: [2], padding: 'sameUpper' },
    results: { 4: [2, 3, 4, 3], 5: [2, 3, 4, 5, 4] },
  },
  {
    means: 'means of rounded-up windows',
    op: 'AveragePool',
    attrs: { kernel: [3], strides: [2], pads: [1, 1], ceil: true },
    results: { 4: [1.5, 3, 4], 5: [1.5, 3, 4.5] },
  },
  {
    means: 'means of rounded-up windows with padding that counts',
    op: 'AveragePool',
    attrs: { kernel: [3], strides: [2], pads: [1, 1], ceil: true },
    countIncludePad: true,
    results: { 4: [1, 3, 2], 5: [1, 3, 3] },
  },
  {
    means: 'means with SAME padding that counts',
    op: 'AveragePool',
    attrs: { kernel: [2], strides: [2], padding: 'sameUpper' },
    countIncludePad: true,
    results: { 3: [1.5, 1.5], 4: [1.5, 3.5] },
  },
];

test.each(pools)(
  '$op gives $means for every size',
  async ({ op, attrs, countIncludePad = false, results }) => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [1, symbol('n'), 1]);
    const plain = {
      layout: 'channelsLast',
      strides: [1],
      dilations: [1],
      padding: 'explicit',
      pads: [0, 0],
      ceil: false,
    } as const;
    const y =
      op === 'MaxPool'
        ? graph.add(ops.MaxPool, { x }, { ...plain, ...attrs }).y
        : graph.add(ops.AveragePool, { x }, { ...plain, ...attrs, countIncludePad }).y;
    graph.output('y', y);
    const run = await runner(graph);
    for (const [size, wanted] of Object.entries(results)) {
      expectSequence(run(tf.tensor([...count(Number(size))], [1, Number(size), 1])), wanted);
    }
  },
);

type Resizing = AttrValues<(typeof ops.Resize)['attrs']>;

interface Resized {
  readonly means: string;
  readonly attrs: Partial<Resizing>;
  /** The size of the result for one of n elements. */
  readonly size: (n: Dim) => Dim;
  readonly results: Readonly<Record<number, readonly number[]>>;
}

const double = (n: Dim) => mulDim(n, 2);

// Hand arithmetic, by the definition of ONNX's Resize-19.
const resizings: readonly Resized[] = [
  {
    means: 'linear between half pixels',
    attrs: { coordinates: 'halfPixel' },
    size: double,
    results: { 2: [1, 1.25, 1.75, 2], 3: [1, 1.25, 1.75, 2.25, 2.75, 3] },
  },
  {
    means: 'linear between aligned corners',
    attrs: { coordinates: 'alignCorners' },
    size: double,
    results: { 1: [1, 1], 2: [1, 1.33333, 1.66667, 2] },
  },
  {
    means: 'linear by a stated scale',
    attrs: { coordinates: 'halfPixel', scales: [1.5] },
    size: (n) => floorDivDim(mulDim(n, 3), 2),
    results: { 2: [1, 1.5, 2], 3: [1, 1.5, 2.16667, 2.83333] },
  },
  {
    means: "PyTorch's half pixels",
    attrs: { coordinates: 'pytorchHalfPixel' },
    size: (n) => floorDivDim(addDim(n, 1), 3),
    results: { 2: [1], 5: [1.75, 4.25] },
  },
  {
    means: 'the nearest, halves down',
    attrs: { mode: 'nearest', coordinates: 'halfPixel', nearest: 'roundPreferFloor' },
    size: (n) => floorDivDim(n, 2),
    results: { 4: [1, 3], 5: [2, 4] },
  },
  {
    means: 'the next',
    attrs: { mode: 'nearest', coordinates: 'asymmetric', nearest: 'ceil' },
    size: (n) => addDim(n, 1),
    results: { 2: [1, 2, 2], 3: [1, 2, 3, 3] },
  },
  {
    means: 'cubic',
    attrs: { mode: 'cubic', coordinates: 'asymmetric' },
    size: double,
    results: { 2: [1, 1.5, 2, 2.09375] },
  },
  {
    means: 'cubic without what lies outside',
    attrs: { mode: 'cubic', coordinates: 'asymmetric', excludeOutside: true },
    size: double,
    results: { 2: [1, 1.5, 2, 2.1875] },
  },
];

describe.each([
  { where: 'a sequence', rank: 3 },
  { where: 'an image', rank: 4 },
])('Resize along $where', ({ rank }) => {
  test.each(resizings)('gives $means for every size', async ({ attrs, size, results }) => {
    const graph = new Graph();
    const n = symbol('n');
    const ones = new Array<number>(rank - 2).fill(1);
    const x = graph.input('x', 'float32', [symbol('batch'), n, ...ones]);
    const plain = {
      mode: 'linear',
      coordinates: 'halfPixel',
      nearest: 'floor',
      cubicCoefficient: -0.75,
      excludeOutside: false,
      antialias: false,
      scales: null,
    } as const;
    // A batch that is stated to keep its size is not resampled.
    const scales = attrs.scales ? [1, ...attrs.scales] : null;
    const { y } = graph.add(
      ops.Resize,
      { x },
      { ...plain, ...attrs, scales, axes: [0, 1], sizes: [symbol('batch'), size(n)] },
    );
    graph.output('y', y);
    const run = await runner(graph);
    for (const [elements, wanted] of Object.entries(results))
      expectSequence(
        run(tf.tensor([...count(Number(elements))], [1, Number(elements), ...ones])),
        wanted,
      );
  });
});
