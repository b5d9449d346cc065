import { evaluate } from '../evaluate/evaluate.js';
import { Graph } from '../graph/graph.js';
import { ops } from '../ops/ops.js';
import { symbol } from '../tensor/dim.js';
import { tensor } from '../tensor/tensor.js';
import { deadCode } from './dead-code.js';
import { runPass } from './define-pass.js';
import { resolveShapes } from './resolve-shapes.js';

const names = (graph: Graph) => graph.sorted().map((node) => node.op.name);

/**
 * The sizes of x from the first axis on, as exporters compute them: Shape, Gather, Unsqueeze,
 * Concat.
 */
function sizes(graph: Graph, shape: readonly (number | ReturnType<typeof symbol>)[]) {
  const x = graph.input('x', 'float32', shape);
  const all = graph.add(ops.Shape, { x }, {}).y;
  const first = graph.add(
    ops.Gather,
    { x: all, indices: graph.literal('int64', [], [0]) },
    { axis: 0 },
  ).y;
  const doubled = graph.add(ops.Mul, { a: first, b: graph.literal('int64', [], [2]) }, {}).y;
  const one = graph.add(ops.Unsqueeze, { x: doubled }, { axes: [0] }).y;
  return {
    x,
    target: graph.add(ops.Concat, { inputs: [one, graph.literal('int64', [1], [-1])] }, { axis: 0 })
      .y,
  };
}

describe('resolveShapes', () => {
  test('a target shape is an attribute at once, and the arithmetic dies', async () => {
    const graph = new Graph();
    const { x, target } = sizes(graph, [symbol('N'), 6]);
    graph.output('y', graph.add(ops.Reshape, { x, shape: target }, { shape: null }).y);
    await runPass(deadCode, graph, undefined);
    expect(names(graph)).toEqual(['Reshape']);
    const y = (
      await evaluate(graph, [tensor('float32', [3, 6], new Array<number>(18).fill(1))])
    ).get('y');
    expect(y!.shape).toEqual([6, 3]);
  });

  test('sizes that are data become Dims, and numbers constants', async () => {
    const named = new Graph();
    named.output('sizes', sizes(named, [symbol('N'), 6]).target);
    await runPass(resolveShapes, named, undefined);
    await runPass(deadCode, named, undefined);
    expect(names(named)).toEqual(['Dims']);
    expect(
      (await evaluate(named, [tensor('float32', [3, 6], new Array<number>(18).fill(1))])).get(
        'sizes',
      )!.data,
    ).toEqual(BigInt64Array.of(6n, -1n));
    expect(await runPass(resolveShapes, named, undefined)).toBe(0);

    const known = new Graph();
    known.output('sizes', sizes(known, [5, 6]).target);
    await runPass(resolveShapes, known, undefined);
    await runPass(deadCode, known, undefined);
    expect(names(known)).toEqual([]);
    expect(known.outputs[0]!.value.constant!.peek()!.data).toEqual(BigInt64Array.of(10n, -1n));
  });
});
