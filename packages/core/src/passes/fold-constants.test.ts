import { ByteHandle } from '../bytes/byte-handle.js';
import { evaluate } from '../evaluate/evaluate.js';
import { Graph } from '../graph/graph.js';
import { ops } from '../ops/ops.js';
import { encodeTensor, tensor, toNumbers } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import { deadCode } from './dead-code.js';
import { runPass } from './define-pass.js';
import { foldConstants } from './fold-constants.js';

const names = (graph: Graph) => graph.sorted().map((node) => node.op.name);

describe('foldConstants', () => {
  test('computes what rests on constants alone, rounded once to the type of the result', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [2]);
    const root = graph.add(ops.Sqrt, { x: graph.literal('float32', [2], [2, 9]) }, {}).y;
    graph.output('y', graph.add(ops.Mul, { a: x, b: root }, {}).y);
    expect(await runPass(foldConstants, graph, { maxBytes: 1024 })).toBe(1);
    await runPass(deadCode, graph, undefined);
    expect(names(graph)).toEqual(['Mul']);
    const { y } = Object.fromEntries(await evaluate(graph, [tensor('float32', [2], [1, 1])]));
    expect([...toNumbers(y!)]).toEqual([Math.fround(Math.SQRT2), 3]);
    expect(await runPass(foldConstants, graph, { maxBytes: 1024 })).toBe(0);
  });

  test('reads no weight above the limit, and makes no result above it', async () => {
    const graph = new Graph();
    let reads = 0;
    const ones = ByteHandle.computed(256, async function* () {
      reads++;
      yield encodeTensor(tensor('float32', [64], new Array<number>(64).fill(1)));
    });
    const w = graph.constant(Weight.stored('float32', [64], 'w', ones));
    graph.output('y', graph.add(ops.Neg, { x: w }, {}).y);
    graph.output(
      'z',
      graph.add(
        ops.Expand,
        { x: graph.literal('float32', [1], [1]) },
        { shape: [1_000_000_000_000] },
      ).y,
    );
    expect(await runPass(foldConstants, graph, { maxBytes: 255 })).toBe(0);
    expect(reads).toBe(0);
    expect(await runPass(foldConstants, graph, { maxBytes: 256 })).toBe(1);
    expect(reads).toBe(1);
  });
});
