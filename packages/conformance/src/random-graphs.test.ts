import {
  DroverError,
  evaluate,
  type Graph,
  MemorySink,
  memorySource,
  parseGraph,
  printGraph,
  tensor,
  toNumbers,
  verify,
  type Format,
  type Runtime,
  type Tensor,
  writeModel,
} from '@drover/core';
import { prepare } from '@drover/core/format';
import { onnx } from '@drover/onnx';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import fc from 'fast-check';
import { expectNear, modelOf, truthOf } from './random-graph.js';
import { imageGraph } from './random-image-graph.js';
import { sequenceGraph } from './random-sequence-graph.js';
import { isNotYet, writers } from './subjects.js';

const runs = (count: number) => ({
  numRuns: Number(process.env['RUNS'] ?? count),
  ...(process.env['RUNS'] ? {} : { seed: 20261121 }),
});

const kinds = { image: imageGraph, sequence: sequenceGraph } as const;

test.each(['image', 'sequence'] as const)(
  'whatever is made ready for a format computes what it did: %s',
  async (kind) => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (g) => {
        const { graph, input } = kinds[kind](g, 'float64', 8);
        const before = await truthOf(graph, input);
        if (!before) return;
        for (const layout of ['channelsFirst', 'channelsLast'] as const) {
          for (const keeps of [true, false]) {
            const ready = await prepare(modelOf(graph), { layout, keeps: () => keeps }, undefined);
            verify(ready);
            expectNear(graph, [...(await evaluate(ready, [input])).values()], before, 1e-9);
          }
        }
        compared++;
      }),
      runs(500),
    );
    expect(compared).toBeGreaterThan(200);
  },
);

/**
 * Writes a graph and runs what is written; undefined where that is refused, and `not yet` where
 * only operators are missing that the format states not to write yet.
 */
async function runWritten(
  graph: Graph,
  input: Tensor,
  format: Format,
  runtime: Runtime,
): Promise<readonly Tensor[] | 'not yet' | undefined> {
  const sink = new MemorySink();
  try {
    await writeModel(modelOf(graph), { to: format, sink });
  } catch (error) {
    if (isNotYet(error)) return 'not yet';
    if (error instanceof DroverError && error.failure === 'unsupported') return undefined;
    throw error;
  }
  await sink.commit();
  try {
    const source = memorySource(format.fileNames.usual, sink.files);
    const loaded = await runtime.load({ format, source });
    const results = await loaded.run(new Map([[loaded.inputs[0]!.name, input]]));
    await loaded.dispose();
    return [...results.values()];
  } catch (error) {
    expect({ graph: printGraph(graph), error }).toBe('run');
    return undefined;
  }
}

const cases = writers.flatMap(([id, subject]) =>
  (['image', 'sequence'] as const).map((kind) => [kind, id, subject] as const),
);

test.each(cases)('whatever is written computes the same: %s in %s', async (kind, _, subject) => {
  let [compared, unwritten] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (g) => {
      const { graph, input } = kinds[kind](g, 'float32', 8);
      const before = await truthOf(graph, input);
      if (!before) return;
      const results = await runWritten(graph, input, subject.format, subject.runtime);
      if (results === 'not yet') unwritten++;
      if (!Array.isArray(results)) return;
      expectNear(graph, results, before, 1e-4);
      compared++;
    }),
    runs(300),
  );
  expect(compared + unwritten).toBeGreaterThan(50);
});

test('onnxruntime does not take zeros around an image for the padding of the pooling after them', async () => {
  const graph = parseGraph(`graph main(x: float32[1, 1, 2, 2]) {
    p: float32[1, 1, 3, 3] = Pad(x) {"mode":"constant","pads":[0,0,1,1,0,0,0,0]}
    y: float32[1, 1, 3, 3] = MaxPool(p) {"layout":"channelsFirst","kernel":[2,2],"strides":[1,1],"dilations":[1,1],"padding":"explicit","pads":[0,0,1,1],"ceil":false}
    return y
  }`);
  const input = tensor('float32', [1, 1, 2, 2], [-1, -2, -3, -4]);
  const results = await runWritten(graph, input, onnx, onnxruntime({ threads: 1 }));
  expect([...toNumbers(results![0] as Tensor)].map(Math.abs)).toEqual([0, 0, 0, 0, 1, 2, 0, 3, 4]);
});
