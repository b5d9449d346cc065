import '@tensorflow/tfjs-backend-cpu';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { Graph, memorySource, MemorySink, ops, Report, symbol, type AttrValues, type Model } from '@drover/core';
import { tfjs } from './format.js';

/** A model in TF.js on its cpu backend: its only output for its only input, a float32 tensor. */
async function runner(graph: Graph): Promise<(x: tf.Tensor) => tf.Tensor> {
  const model: Model = { graph, format: 'test', versions: {}, producer: '', file: 'test', metadata: new Map() };
  const sink = new MemorySink();
  await tfjs.write(model, sink, { report: new Report(), options: {}, path: 'model.json', tensor: () => {} });
  await sink.commit();
  // What is written can be read again.
  await tfjs.read(memorySource('model.json', sink.files), { report: new Report() });
  const json = JSON.parse(new TextDecoder().decode(sink.files.get('model.json'))) as tf.io.ModelJSON;
  const shards = json.weightsManifest.flatMap(({ paths }) => paths.map((path) => sink.files.get(path)!));
  const artifacts = { ...json, weightSpecs: json.weightsManifest.flatMap(({ weights }) => weights), weightData: new Uint8Array(Buffer.concat(shards)).buffer };
  await tf.setBackend('cpu');
  const loaded = await loadGraphModel({ load: async () => artifacts as unknown as tf.io.ModelArtifacts });
  return (x) => loaded.execute(x) as tf.Tensor;
}

const count = (size: number): readonly number[] => Array.from({ length: size }, (_, i) => i + 1);

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
  { means: 'the largest of rounded-up windows', op: 'MaxPool', attrs: { kernel: [3], strides: [2], ceil: true }, results: { 4: [3, 4], 5: [3, 5], 6: [3, 5, 6] } },
  { means: 'the largest of rounded-up windows with padding', op: 'MaxPool', attrs: { kernel: [3], strides: [2], pads: [1, 1], ceil: true }, results: { 4: [2, 4, 4], 5: [2, 4, 5] } },
  { means: 'windows that may start behind the end', op: 'MaxPool', attrs: { kernel: [1], strides: [2], ceil: true }, results: { 4: [1, 3], 5: [1, 3, 5] } },
  { means: 'the largest, the odd pad in front', op: 'MaxPool', attrs: { kernel: [2], strides: [2], padding: 'sameLower' }, results: { 3: [1, 3], 4: [2, 4] } },
  { means: 'the largest of spread taps', op: 'MaxPool', attrs: { kernel: [2], dilations: [2], padding: 'sameUpper' }, results: { 4: [2, 3, 4, 3], 5: [2, 3, 4, 5, 4] } },
  { means: 'means of rounded-up windows', op: 'AveragePool', attrs: { kernel: [3], strides: [2], pads: [1, 1], ceil: true }, results: { 4: [1.5, 3, 4], 5: [1.5, 3, 4.5] } },
  {
    means: 'means of rounded-up windows with padding that counts',
    op: 'AveragePool',
    attrs: { kernel: [3], strides: [2], pads: [1, 1], ceil: true },
    countIncludePad: true,
    results: { 4: [1, 3, 2], 5: [1, 3, 3] },
  },
  { means: 'means with SAME padding that counts', op: 'AveragePool', attrs: { kernel: [2], strides: [2], padding: 'sameUpper' }, countIncludePad: true, results: { 3: [1.5, 1.5], 4: [1.5, 3.5] } },
];

test.each(pools)('$op gives $means for every size', async ({ op, attrs, countIncludePad = false, results }) => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [1, symbol('n'), 1]);
  const plain = { layout: 'channelsLast', strides: [1], dilations: [1], padding: 'explicit', pads: [0, 0], ceil: false } as const;
  const y = op === 'MaxPool' ? graph.add(ops.MaxPool, { x }, { ...plain, ...attrs }).y : graph.add(ops.AveragePool, { x }, { ...plain, ...attrs, countIncludePad }).y;
  graph.output('y', y);
  const run = await runner(graph);
  for (const [size, wanted] of Object.entries(results)) {
    const made = run(tf.tensor([...count(Number(size))], [1, Number(size), 1]));
    expect(Array.from(made.dataSync(), (each) => Number(each.toFixed(5)))).toEqual(wanted);
  }
});
