import {
  DroverError,
  evaluate,
  evaluateSteps,
  type Graph,
  MemorySink,
  memorySource,
  parseGraph,
  prepare,
  printGraph,
  Report,
  tensor,
  toNumbers,
  verify,
  type Format,
  type Model,
  type Tensor,
} from '@drover/core';
import { mxnet } from '@drover/mxnet';
import { onnx } from '@drover/onnx';
import { reference, type Runtime } from '@drover/runtimes';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { tfjs as tfjsRuntime } from '@drover/runtimes/tfjs';
import { tfjs } from '@drover/tfjs';
import fc from 'fast-check';
import { imageGraph } from './random-graph.js';

const modelOf = (graph: Graph): Model => ({
  graph,
  format: '',
  versions: {},
  producer: '',
  operators: new Map(),
  file: '',
  metadata: new Map(),
});

/** What a graph computes; undefined where sizes that are names turn out not to fit, or leave a value without elements, which runtimes refuse. */
async function truthOf(graph: Graph, input: Tensor): Promise<ReadonlyMap<string, Tensor> | undefined> {
  try {
    const steps = evaluateSteps(graph, [input]);
    for (;;) {
      const { done, value } = await steps.next();
      if (done) return new Map(graph.outputs.map(({ name }, i) => [name, value[i]!]));
      if (value.outputs.some(({ shape }) => shape.includes(0))) return undefined;
    }
  } catch (error) {
    if (error instanceof DroverError) return undefined;
    throw error;
  }
}

/** Fails with the text of the graph unless all results are near to what it computes. */
function expectNear(graph: Graph, results: readonly (Tensor | undefined)[], truth: ReadonlyMap<string, Tensor>, tolerance: number): void {
  const wrong = [...truth.values()].flatMap((expected, i) => {
    const values = results[i] && toNumbers(results[i]);
    const wanted = toNumbers(expected);
    const scale = wanted.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 1);
    const isNear = (a: number, b: number) => Object.is(a, b) || Math.abs(a - b) <= tolerance * scale;
    const isSame = results[i]?.shape.join() === expected.shape.join() && values!.every((value, at) => isNear(value, wanted[at]!));
    return isSame
      ? []
      : [{ output: i, shape: results[i]?.shape, values: values && [...values].slice(0, 8), wanted: [...wanted].slice(0, 8) }];
  });
  if (wrong.length > 0) expect({ graph: printGraph(graph), wrong }).toBe('near');
}

const runs = (count: number) => ({ numRuns: Number(process.env['RUNS'] ?? count), ...(process.env['RUNS'] ? {} : { seed: 20261121 }) });

test('whatever is made ready for a format computes what it did', async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (g) => {
      const { graph, input } = imageGraph(g, 'float64', 8);
      const before = await truthOf(graph, input);
      if (!before) return;
      for (const layout of ['channelsFirst', 'channelsLast'] as const) {
        for (const keeps of [true, false]) {
          const ready = await prepare(modelOf(graph), { layout, keeps: () => keeps }, {});
          verify(ready);
          expectNear(graph, [...(await evaluate(ready, [input])).values()], before, 1e-9);
        }
      }
      compared++;
    }),
    runs(500),
  );
  expect(compared).toBeGreaterThan(200);
});

/** Writes a graph and runs what is written; undefined where that is refused. */
async function runWritten(graph: Graph, input: Tensor, format: Format, runtime: Runtime): Promise<readonly Tensor[] | undefined> {
  const sink = new MemorySink();
  try {
    await format.write(modelOf(graph), sink, { report: new Report(), options: {}, path: format.fileName, tensor: () => {} });
  } catch (error) {
    if (error instanceof DroverError && error.failure === 'unsupported') return undefined;
    throw error;
  }
  await sink.commit();
  try {
    const loaded = await runtime.load(memorySource(format.fileName, sink.files));
    const results = await loaded.run(new Map([[loaded.inputs[0]!.name, input]]));
    await loaded.dispose();
    return [...results.values()];
  } catch (error) {
    expect({ graph: printGraph(graph), error }).toBe('run');
    return undefined;
  }
}

test.each<readonly [string, Format, Runtime]>([
  ['onnxruntime', onnx, onnxruntime({ threads: 1 })],
  ['TensorFlow.js', tfjs, tfjsRuntime()],
  ['the reference, read back from MXNet', mxnet, reference([mxnet])],
])('whatever is written computes the same in %s', async (_, format, runtime) => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (g) => {
      const { graph, input } = imageGraph(g, 'float32', 8);
      const before = await truthOf(graph, input);
      const results = before && (await runWritten(graph, input, format, runtime));
      if (!results) return;
      expectNear(graph, results, before, 1e-4);
      compared++;
    }),
    runs(300),
  );
  expect(compared).toBeGreaterThan(50);
});

test('onnxruntime does not take zeros around an image for the padding of the pooling after them', async () => {
  const graph = parseGraph(`graph main(x: float32[1, 1, 2, 2]) {
    p: float32[1, 1, 3, 3] = Pad(x) {"mode":"constant","pads":[0,0,1,1,0,0,0,0]}
    y: float32[1, 1, 3, 3] = MaxPool(p) {"layout":"channelsFirst","kernel":[2,2],"strides":[1,1],"dilations":[1,1],"padding":"explicit","pads":[0,0,1,1],"ceil":false}
    return y
  }`);
  const input = tensor('float32', [1, 1, 2, 2], [-1, -2, -3, -4]);
  const [result] = (await runWritten(graph, input, onnx, onnxruntime({ threads: 1 })))!;
  expect([...toNumbers(result!)].map(Math.abs)).toEqual([0, 0, 0, 0, 1, 2, 0, 3, 4]);
});
