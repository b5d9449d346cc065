import { evaluate } from '../../evaluate/evaluate.js';
import { Graph } from '../../graph/graph.js';
import { ops } from '../../ops/ops.js';
import { symbol } from '../../tensor/dim.js';
import { tensor, toNumbers } from '../../tensor/tensor.js';
import { deadCode } from '../dead-code.js';
import { runPass } from '../define-pass.js';
import { recogniseGroupNormalization } from './recognise-group-normalization.js';

const spatial = { layout: 'channelsFirst', epsilon: 1e-5 } as const;

/** What PyTorch's exporters write for GroupNorm(2, 4) before ONNX had the operator. */
function build({
  ones = 1,
  scale = [4, 1, 1],
}: { ones?: number; scale?: readonly number[] } = {}): Graph {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [symbol('N'), 4, 3, 2]);
  const grouped = graph.add(ops.Reshape, { x }, { shape: [symbol('N'), 2, -1] }).y;
  const operands = {
    x: grouped,
    scale: graph.literal('float32', [2], [ones, 1]),
    bias: graph.literal('float32', [2], [0, 0]),
  };
  const normal = graph.add(ops.InstanceNormalization, operands, spatial).y;
  const back = graph.add(ops.Reshape, { x: normal }, { shape: [symbol('N'), 4, 3, 2] }).y;
  const size = scale.reduce((a, b) => a * b, 1);
  const factor = graph.literal(
    'float32',
    scale,
    Array.from({ length: size }, (_, i) => i + 1),
  );
  const scaled = graph.add(ops.Mul, { a: back, b: factor }, {}).y;
  graph.output(
    'y',
    graph.add(ops.Add, { a: graph.literal('float32', [4, 1, 1], [1, 0, -1, 2]), b: scaled }, {}).y,
  );
  return graph;
}

const x = tensor(
  'float32',
  [2, 4, 3, 2],
  Array.from({ length: 48 }, (_, i) => Math.cos(i * i)),
);
const names = (graph: Graph) => graph.sorted().map((node) => node.op.name);

describe('recogniseGroupNormalization', () => {
  test('scale and bias per channel come along, and the meaning stays', async () => {
    const graph = build();
    const before = await evaluate(graph, [x]);
    expect(await runPass(recogniseGroupNormalization, graph, undefined)).toBe(1);
    await runPass(deadCode, graph, undefined);
    expect(names(graph)).toEqual(['GroupNormalization']);
    const after = await evaluate(graph, [x]);
    toNumbers(after.get('y')!).forEach((value, i) =>
      expect(value).toBeCloseTo(toNumbers(before.get('y')!)[i]!, 10),
    );
    expect(await runPass(recogniseGroupNormalization, graph, undefined)).toBe(0);
  });

  test('a scale that is not one per channel stays outside', async () => {
    const graph = build({ scale: [1, 3, 2] });
    const before = await evaluate(graph, [x]);
    await runPass(recogniseGroupNormalization, graph, undefined);
    await runPass(deadCode, graph, undefined);
    expect(names(graph)).toEqual(['GroupNormalization', 'Mul', 'Add']);
    const after = await evaluate(graph, [x]);
    toNumbers(after.get('y')!).forEach((value, i) =>
      expect(value).toBeCloseTo(toNumbers(before.get('y')!)[i]!, 10),
    );
  });

  test('an instance normalisation with a scale of its own is none', async () => {
    expect(await runPass(recogniseGroupNormalization, build({ ones: 2 }), undefined)).toBe(0);
  });
});
