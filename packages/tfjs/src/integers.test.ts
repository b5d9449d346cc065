import '@tensorflow/tfjs-backend-cpu';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import {
  Graph,
  MemorySink,
  ops,
  Report,
  symbol,
  tensor,
  Weight,
  type DType,
  Model,
  type Value,
  planModel,
  writeModel,
} from '@drover/core';
import { tfjs } from './format.js';

/** A graph of one input; its nodes have origins as a reader would state them. */
function graphOf(dtype: DType, build: (graph: Graph, x: Value) => Value): Graph {
  const graph = new Graph();
  graph.output('y', build(graph, graph.input('x', dtype, [symbol('n')])));
  return graph;
}

const from = (node: string, op: string) => ({
  name: node,
  origin: { file: 'model.onnx', path: [], node, op },
});

const modelOf = (graph: Graph): Model => new Model(graph, { file: 'model.onnx' });

/** Findings that are more than a note. */
async function plan(graph: Graph): Promise<readonly string[]> {
  const report = new Report();
  await planModel(modelOf(graph), { to: tfjs, report });
  return report.diagnostics
    .filter(({ severity }) => severity !== 'info')
    .map(({ code, message }) => `${code}: ${message}`);
}

const add = (graph: Graph, a: Value, b: bigint, node: string) =>
  graph.add(ops.Add, { a, b: graph.literal('int64', [], [b]) }, {}, from(node, 'Add')).y;

describe('64-bit integers', () => {
  test('the positions of tokens are proved to fit: what is compared, counted and looked up', async () => {
    const graph = graphOf('int64', (g, ids) => {
      const padding = g.literal('int64', [], [1]);
      const isToken = g.add(ops.Not, { x: g.add(ops.Equal, { a: ids, b: padding }, {}).y }, {}).y;
      const mask = g.add(ops.Cast, { x: isToken }, { to: 'int64' }).y;
      const count = g.add(ops.CumSum, { x: mask }, { axis: 0, exclusive: false, reverse: false }).y;
      const positions = add(g, g.add(ops.Mul, { a: count, b: mask }, {}).y, 1n, 'positions');
      const table = g.constant(
        Weight.from(tensor('float32', [514, 2], new Array<number>(1028).fill(0))),
      );
      const rows = g.add(ops.Gather, { x: table, indices: positions }, { axis: 0 }).y;
      return g.add(
        ops.Add,
        { a: rows, b: g.add(ops.Gather, { x: table, indices: ids }, { axis: 0 }).y },
        {},
      ).y;
    });
    expect(await plan(graph)).toEqual([]);
  });

  test('each node of the source that may leave 32 bits is named once, and not what follows it', async () => {
    const graph = graphOf('int64', (g, x) => {
      const one = g.literal('int64', [], [1]);
      const flipped = g.add(ops.Sub, { a: one, b: x }, {}, from('/mask/Sub', 'Sub')).y;
      const shifted = g.add(
        ops.Transpose,
        { x: g.add(ops.Abs, { x: g.add(ops.Clip, { x: flipped }, { min: -9, max: 9 }).y }, {}).y },
        { perm: [0] },
      ).y;
      return g.add(ops.Mul, { a: shifted, b: flipped }, {}, from('/mask/Mul', 'Mul')).y;
    });
    // 1 less -2^31 … 2^31 - 1; then what 32 bits hold of that, 0 … 9 times.
    expect(await plan(graph)).toEqual([
      'core/dtype-unproved: Sub /mask/Sub may give int64 between -2147483646 and 2147483649; the target has -2147483648 to 2147483647 in int32.',
      'core/dtype-unproved: Mul /mask/Mul may give int64 between -19327352814 and 19327352823; the target has -2147483648 to 2147483647 in int32.',
    ]);
  });

  test('floats of which nothing is known', async () => {
    const graph = graphOf(
      'float32',
      (g, x) => g.add(ops.Cast, { x }, { to: 'int64' }, from('/Cast', 'Cast')).y,
    );
    expect(await plan(graph)).toEqual([
      'core/dtype-unproved: Cast /Cast may give any int64; the target has -2147483648 to 2147483647 in int32.',
    ]);
  });

  test('integers that cannot fit are refused', async () => {
    const graph = graphOf('int64', (g, x) => {
      const large = g.add(ops.Clip, { x }, { min: 2 ** 20, max: 2 ** 21 }).y;
      return g.add(ops.Mul, { a: large, b: large }, {}, from('/Mul', 'Mul')).y;
    });
    expect(await plan(graph)).toEqual([
      'core/not-convertible: Mul /Mul gives int64 between 1099511627776 and 4398046511104; the target has -2147483648 to 2147483647 in int32.',
    ]);
  });

  test('a filling with the least of all integers is refused: nothing smaller is the same', async () => {
    const least = -(2n ** 63n);
    const graph = graphOf('int64', (g, x) => {
      const isKept = g.add(ops.Less, { a: x, b: g.literal('int64', [], [9]) }, {}).y;
      return g.add(
        ops.Where,
        { condition: isKept, x, y: g.literal('int64', [], [least], 'fill') },
        {},
        from('/Where', 'Where'),
      ).y;
    });
    expect(await plan(graph)).toContain(
      'tfjs/narrowing: fill holds -9223372036854775808, which is no int32.',
    );
  });
});

test('unsigned integers of 32 bits that leave those with a sign are named', async () => {
  const graph = graphOf(
    'uint32',
    (g, x) => g.add(ops.Sub, { a: x, b: g.literal('uint32', [], [1]) }, {}, from('/Sub', 'Sub')).y,
  );
  expect(await plan(graph)).toEqual([
    'core/dtype-unproved: Sub /Sub may give uint32 between -1 and 2147483646; the target has 0 to 2147483647 in int32.',
  ]);
});

/** What TF.js makes of some numbers, and the operators that it uses. */
async function run(
  graph: Graph,
  x: tf.Tensor,
): Promise<{ readonly y: readonly number[]; readonly operators: readonly string[] }> {
  expect(await plan(graph)).toEqual([]);
  const sink = new MemorySink();
  await writeModel(modelOf(graph), { to: tfjs, sink });
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
  const { node } = json.modelTopology as { readonly node: readonly { readonly op: string }[] };
  return {
    y: Array.from((loaded.execute(x) as tf.Tensor).dataSync()),
    operators: node.map(({ op }) => op),
  };
}

// By the definitions of ONNX's operators: integers wrap modulo the width of their type, casts
// truncate.
describe('TF.js gives what the source means', () => {
  test('floats beyond 32 bits that are clipped as integers', async () => {
    const graph = graphOf(
      'float32',
      (g, x) =>
        g.add(ops.Clip, { x: g.add(ops.Cast, { x }, { to: 'int64' }).y }, { min: 0, max: 9 }).y,
    );
    expect((await run(graph, tf.tensor1d([3e9, -3e9, 1e18, 4.9]))).y).toEqual([9, 0, 9, 4]);
  });

  test('sums and products that wrap in 8 bits', async () => {
    const sum = graphOf('uint8', (g, x) => g.add(ops.Add, { a: x, b: x }, {}).y);
    expect((await run(sum, tf.tensor1d([255, 128, 3], 'int32'))).y).toEqual([254, 0, 6]);
    const product = graphOf('int8', (g, x) => g.add(ops.Mul, { a: x, b: x }, {}).y);
    expect((await run(product, tf.tensor1d([-128, 12, 11], 'int32'))).y).toEqual([0, -112, 121]);
  });

  test('floats that wrap in 8 bits', async () => {
    const graph = graphOf('float32', (g, x) => g.add(ops.Cast, { x }, { to: 'uint8' }).y);
    expect((await run(graph, tf.tensor1d([300.7, -1, 255]))).y).toEqual([44, 255, 255]);
  });

  test('a slice to the end, told by the largest of all integers beside one that depends on data', async () => {
    const graph = graphOf('int32', (g, x) => {
      const starts = g.add(
        ops.Reshape,
        { x: g.add(ops.ReduceMin, { x }, { axes: [0], keepdims: false }).y },
        { shape: [1] },
      ).y;
      const table = g.add(ops.Reshape, { x }, { shape: [2, 2] }).y;
      const zero = g.literal('int64', [1], [0]);
      const from = g.add(
        ops.Concat,
        { inputs: [g.add(ops.Cast, { x: starts }, { to: 'int64' }).y, zero] },
        { axis: 0 },
      ).y;
      const ends = g.literal('int64', [2], [2n ** 63n - 1n, 2n ** 63n - 1n]);
      return g.add(
        ops.Slice,
        { x: table, starts: from, ends },
        { axes: [0, 1], starts: null, ends: null, steps: [1, 1] },
      ).y;
    });
    // The least element is 1: from row 1 on.
    expect((await run(graph, tf.tensor1d([4, 1, 7, 9], 'int32'))).y).toEqual([7, 9]);
  });

  test('indices that are never negative are not counted from the end', async () => {
    const lookUp = (min: number) =>
      graphOf('int32', (g, x) => {
        const table = g.literal('float32', [3], [5, 6, 7]);
        return g.add(
          ops.Gather,
          { x: table, indices: g.add(ops.Clip, { x }, { min, max: 2 }).y },
          { axis: 0 },
        ).y;
      });
    const fromStart = await run(lookUp(0), tf.tensor1d([-9, 1, 9], 'int32'));
    expect(fromStart.y).toEqual([5, 6, 7]);
    expect(fromStart.operators).not.toContain('SelectV2');
    const fromEither = await run(lookUp(-1), tf.tensor1d([-9, 1, 9], 'int32'));
    expect(fromEither.y).toEqual([7, 6, 7]);
    expect(fromEither.operators).toContain('SelectV2');
  });
});
