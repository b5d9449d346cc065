import { ByteHandle } from '../bytes/byte-handle.js';
import { evaluate } from '../evaluate/evaluate.js';
import { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { ops } from '../ops/ops.js';
import { symbol } from '../tensor/dim.js';
import { sourcesOf } from '../tensor/tensor-transform.js';
import { tensor } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import { runPass } from './define-pass.js';
import { lower } from './lower.js';

const source = { file: 'm.onnx', path: [], node: 'encoder/gru', op: 'GRU' };

const names = (graph: Graph): string[] => [...graph.nodes].map(({ op }) => op.name);
const keep = (...kept: string[]) => ({ keep: (node: Node) => kept.includes(node.op.name) });

/**
 * A GRU of one unit over a sequence of named length: z = x / 4, n = x + (r h + 1) / 2 (the first
 * example of the operator).
 */
function gruModel(): Graph {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [symbol('t'), 1, 1]);
  const parameter = (name: string, shape: readonly number[], values: readonly number[]) =>
    graph.constant(
      Weight.stored(
        'float32',
        shape,
        name,
        ByteHandle.of(new Uint8Array(new Float32Array(values).buffer)),
      ),
      name,
    );
  const { y, yH } = graph.add(
    ops.GRU,
    {
      x,
      w: parameter('w', [1, 3, 1], [0.25, 0, 1]),
      r: parameter('r', [1, 3, 1], [0, 0, 1]),
      b: parameter('b', [1, 6], [0, 0.25, 0, 0, 0.25, 1]),
      initialH: graph.literal('float32', [1, 1, 1], [4]),
    },
    {
      hiddenSize: 1,
      direction: 'forward',
      activations: ['HardSigmoid', 'Relu'],
      activationAlpha: [1],
      activationBeta: [0],
      clip: null,
      linearBeforeReset: true,
    },
    { name: 'gru', origin: source, outputs: ['states', 'last'] },
  );
  graph.output('states', y);
  graph.output('last', graph.add(ops.Neg, { x: yH }, {}, { name: 'after' }).y);
  return graph;
}

test('composites go, those of decompositions and of their bodies too, and the meaning stays', async () => {
  const graph = gruModel();
  expect(await runPass(lower, graph, keep())).toBeGreaterThan(1);
  expect(names(graph)).toContain('Loop');
  const inner = [...graph.nodes].find(({ op }) => op.name === 'Loop')!.regions['body']!.graph;
  expect(names(inner)).toContain('Clip');
  expect([...names(graph), ...names(inner)]).not.toEqual(expect.arrayContaining(['HardSigmoid']));
  for (const part of [graph, inner])
    for (const { op } of part.nodes) expect([op.name, op.decompose]).toEqual([op.name, undefined]);
  const results = await evaluate(graph, [tensor('float32', [2, 1, 1], [2, 1])]);
  // z is bounded to 1/2 and 1/4, which is what it was.
  expect(results.get('states')).toEqual(tensor('float32', [2, 1, 1, 1], [4.25, 3.78125]));
  expect(results.get('last')).toEqual(tensor('float32', [1, 1, 1], [-3.78125]));
  expect(await runPass(lower, graph, keep())).toBe(0);
});

test('what a target keeps stays whole, also within bodies', async () => {
  const graph = gruModel();
  expect(await runPass(lower, graph, keep('GRU'))).toBe(0);
  expect(names(graph)).toEqual(['GRU', 'Neg']);
  await runPass(lower, graph, keep('Scan', 'HardSigmoid'));
  const scan = [...graph.nodes].find(({ op }) => op.name === 'Scan')!;
  expect(names(scan.regions['body']!.graph)).toContain('HardSigmoid');
});

test('new nodes inherit the origin, results keep names and types, constants stay unread and know their source', async () => {
  const graph = gruModel();
  const [, neg] = [...graph.nodes];
  await runPass(lower, graph, keep('Scan', 'HardSigmoid'));
  for (const node of graph.nodes) {
    if (node === neg) continue;
    expect(node.origin).toBe(source);
    expect(node.name).toMatch(/^gru\//);
    for (const { graph: body } of Object.values(node.regions))
      for (const part of body.nodes) expect(part.origin).toBe(source);
  }
  expect(graph.outputs[0]!.value.name).toBe('states');
  expect(String(graph.outputs[0]!.value)).toBe('states: float32[t, 1, 1, 1]');
  expect(neg!.inputs[0]!.name).toBe('last');
  const stored = graph.constants().flatMap(({ constant }) => sourcesOf(constant!));
  expect(new Set(stored.map(({ name }) => name))).toEqual(new Set(['w', 'r', 'b']));
});

test('a composite whose decomposition needs a rank that is not known is named', async () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', undefined);
  const scale = graph.literal('float32', [3], [1, 2, 3]);
  const { y } = graph.add(
    ops.GroupNormalization,
    { x, scale, bias: scale },
    { groups: 3, epsilon: 1e-5, layout: 'channelsFirst' },
    {
      name: 'norm',
      origin: { file: 'm.onnx', path: [], node: 'norm', op: 'GroupNormalization' },
    },
  );
  graph.output('y', y);
  await expect(runPass(lower, graph, keep())).rejects.toMatchObject({
    diagnostics: [
      {
        code: 'core/not-convertible',
        origin: { file: 'm.onnx', node: 'norm', op: 'GroupNormalization' },
      },
    ],
  });
});
