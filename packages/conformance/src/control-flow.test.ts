import {
  Model,
  convert,
  Graph,
  memorySource,
  MemorySink,
  ops,
  symbol,
  tensor,
  toNumbers,
  type Format,
  type Source,
  writeModel,
} from '@drover/core';
import { onnx } from '@drover/onnx';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { tfjs as tfjsRuntime } from '@drover/runtimes/tfjs';
import { tfjs } from '@drover/tfjs';
import { decodeVector, vectorFamilies, type VectorCase } from './op-vectors.js';

interface TfModel {
  readonly json: { readonly weightsManifest: readonly { readonly paths: readonly string[] }[] };
  readonly weights: string;
}

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

function tfSource({ model }: VectorCase<TfModel>): Source {
  const [path] = model.json.weightsManifest.flatMap(({ paths }) => paths);
  const files = new Map([['model.json', new TextEncoder().encode(JSON.stringify(model.json))]]);
  if (path !== undefined) files.set(path, bytesOf(model.weights));
  return memorySource('model.json', files);
}

const onnxSource = ({ model }: VectorCase<{ readonly onnx: string }>): Source =>
  memorySource('model.onnx', new Map([['model.onnx', bytesOf(model.onnx)]]));

/**
 * Cases of control flow and recurrence of both frameworks: where from, and what the framework
 * computed.
 */
const cases = [
  ...vectorFamilies<TfModel>('tf').flatMap(([family, each]) =>
    (family === 'control-flow' ? each : []).map((one) => ({
      one,
      from: tfjs,
      source: () => tfSource(one),
    })),
  ),
  ...vectorFamilies<{ readonly onnx: string }>('onnx').flatMap(([family, each]) =>
    (family === 'control-flow' || family === 'recurrent' ? each : []).map((one) => ({
      one,
      from: onnx,
      source: () => onnxSource(one),
    })),
  ),
].map(({ one, from, source }) => ({
  name: `${from.id} ${one.name}`,
  inputs: one.inputs,
  outputs: one.outputs,
  from,
  source,
}));

const targets: readonly {
  readonly to: Format;
  readonly runtime: ReturnType<typeof onnxruntime>;
}[] = [
  { to: onnx, runtime: onnxruntime({ threads: 1 }) },
  { to: tfjs, runtime: tfjsRuntime() },
];

/** A loop and a branch whose bodies need the size of an input that they do not take. */
function sizedInBodies(): Graph {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [symbol('n'), 3]);
  const s = graph.input('s', 'float32', []);
  const body = new Graph('body', graph);
  body.input('trip', 'int64', []);
  body.input('goes', 'bool', []);
  const sum = body.add(ops.Add, { a: body.input('a', 'float32', []), b: body.capture(s) }, {}).y;
  const wide = body.add(ops.Expand, { x: sum }, { shape: [symbol('n'), 2] }).y;
  body.output('goes', body.literal('bool', [], [true]));
  body.output('a', body.add(ops.ReduceSum, { x: wide }, { axes: [0, 1], keepdims: false }).y);
  const { outputs } = graph.add(
    ops.Loop,
    { maxTrips: graph.literal('int64', [], [3]), carried: [s] },
    { carried: 1 },
    { regions: { body: body.region() } },
  );
  const [then, otherwise] = [new Graph('then', graph), new Graph('else', graph)];
  then.output('w', then.add(ops.Expand, { x: then.capture(s) }, { shape: [symbol('n'), 2] }).y);
  otherwise.output('w', otherwise.literal('float32', [1, 2], [7, 8]));
  const condition = graph.add(ops.Greater, { a: s, b: graph.literal('float32', [], [0]) }, {}).y;
  const branch = graph.add(
    ops.If,
    { condition },
    {},
    { regions: { then: then.region(), else: otherwise.region() } },
  );
  graph.output('a', outputs[0]!);
  graph.output('w', branch.outputs[0]!);
  graph.output('y', graph.add(ops.Add, { a: x, b: s }, {}).y);
  return graph;
}

describe.each(targets)('written to $to.id', ({ to, runtime }) => {
  test.each(cases)(
    '$name gives the same in its runtime, twice',
    async ({ inputs, outputs, from, source }) => {
      const sink = new MemorySink();
      // A layout asks for a way through core where the format stays.
      await convert({
        from,
        to,
        source: source(),
        sink,
        rewrite: true,
      });
      const loaded = await runtime.load({
        source: memorySource(to.fileNames.usual, sink.files),
      });
      const given = new Map(inputs.map((stored) => [stored.name, decodeVector(stored)]));
      try {
        // TF.js frees tensors between runs: a second run finds out whether those were its own.
        for (let run = 0; run < 2; run++) {
          const results = await loaded.run(given);
          for (const stored of outputs) {
            const [result, expected] = [results.get(stored.name)!, decodeVector(stored)];
            expect(result.shape).toEqual(expected.shape);
            toNumbers(expected).forEach((value, i) =>
              expect(Math.abs(toNumbers(result)[i]! - value)).toBeLessThanOrEqual(
                2e-6 * Math.max(1, Math.abs(value)),
              ),
            );
          }
        }
      } finally {
        await loaded.dispose();
      }
    },
  );

  // With n = 2 a trip gives 4 (a + s): from 0.5 on 4, 18, 74; from -1 on -8, -36, -148.
  test.each([
    { s: 0.5, a: 74, w: [0.5, 0.5, 0.5, 0.5], shape: [2, 2] },
    { s: -1, a: -148, w: [7, 8], shape: [1, 2] },
  ])('bodies know the sizes of inputs: $s', async ({ s, a, w, shape }) => {
    const sink = new MemorySink();
    const model = new Model(sizedInBodies());
    await writeModel(model, { to, sink });
    const loaded = await runtime.load({ source: memorySource(to.fileNames.usual, sink.files) });
    try {
      const given = [
        ['x', tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6])],
        ['s', tensor('float32', [], [s])],
      ] as const;
      const results = await loaded.run(new Map(given));
      expect([...toNumbers(results.get('a')!)]).toEqual([a]);
      expect(results.get('w')!.shape).toEqual(shape);
      expect([...toNumbers(results.get('w')!)]).toEqual(w);
    } finally {
      await loaded.dispose();
    }
  });
});
