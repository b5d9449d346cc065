import { evaluate } from '../../evaluate/evaluate.js';
import { Graph } from '../../graph/graph.js';
import type { Value } from '../../graph/value.js';
import { ops } from '../../ops/ops.js';
import { symbol } from '../../tensor/dim.js';
import { tensor, toNumbers, type Tensor } from '../../tensor/tensor.js';
import { runPass } from '../define-pass.js';
import { foldConstants } from '../fold-constants.js';
import { lower } from '../lower.js';
import { simplifyMovement } from '../simplify-movement.js';
import { loopToScan } from './loop-to-scan.js';
import { recogniseRecurrent } from './recognise-recurrent.js';

const [time, batch, features, size] = [5, 3, 2, 4];

/** Numbers between -1 and 1 that have no pattern to speak of. */
const wave = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => Math.sin(1 + seed * 7.3 + i * 2.17));
const input = tensor('float64', [time, batch, features], wave(time * batch * features, 0));

const add = (graph: Graph, a: Value, b: Value) => graph.add(ops.Add, { a, b }, {}).y;
const mul = (graph: Graph, a: Value, b: Value) => graph.add(ops.Mul, { a, b }, {}).y;
const matMul = (graph: Graph, a: Value, b: Value) => graph.add(ops.MatMul, { a, b }, {}).y;
const sigmoid = (graph: Graph, x: Value) => graph.add(ops.Sigmoid, { x }, {}).y;
const tanh = (graph: Graph, x: Value) => graph.add(ops.Tanh, { x }, {}).y;
const matrix = (graph: Graph, shape: readonly number[], seed: number) =>
  graph.literal(
    'float64',
    shape,
    wave(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
  );
const parts = (graph: Graph, x: Value, count: number) =>
  graph.add(ops.Split, { x }, { axis: 1, sizes: Array<number>(count).fill(size) }).outputs;
const oneMinus = (graph: Graph, b: Value) =>
  graph.add(ops.Sub, { a: graph.literal('float64', [], [1]), b }, {}).y;

type Step = (body: Graph, x: Value, states: readonly Value[], trip: Value) => readonly Value[];

/**
 * A loop over a sequence of `time` steps, as importers make it: each trip reads its step, carries
 * the states and yields one of them.
 */
function sequence(
  step: Step,
  states: number,
  length: number | ReturnType<typeof symbol> = time,
  yielded = 0,
): Graph {
  const graph = new Graph();
  const x = graph.input('x', 'float64', [length, batch, features]);
  const initial = Array.from({ length: states }, (_, i) =>
    graph.input(`initial${i}`, 'float64', [batch, size]),
  );
  const body = new Graph('body', graph);
  const trip = body.input('trip', 'int64', []);
  body.input('goes', 'bool', []);
  const carried = initial.map((_, i) => body.input(`state${i}`, 'float64', [batch, size]));
  const indices = body.add(ops.Cast, { x: trip }, { to: 'int32' }).y;
  const slice = body.add(ops.Gather, { x: body.capture(x), indices }, { axis: 0 }).y;
  const next = step(body, slice, carried, trip);
  body.output('goes', body.literal('bool', [], [true]));
  [...next, next[yielded]!].forEach((value, i) => body.output(String(i), value));
  const sizes = graph.add(
    ops.Gather,
    { x: graph.add(ops.Shape, { x }, {}).y, indices: graph.literal('int64', [], [0]) },
    { axis: 0 },
  ).y;
  const { outputs } = graph.add(
    ops.Loop,
    { maxTrips: sizes, carried: initial },
    { carried: states },
    { regions: { body: body.region() } },
  );
  outputs.forEach((value, i) => graph.output(`out${i}`, value));
  return graph;
}

const operators = (graph: Graph) =>
  [...graph.nodes]
    .map(({ op }) => op.name)
    .filter((name) => ['Loop', 'Scan', 'LSTM', 'GRU', 'RNN'].includes(name));

/**
 * Runs both passes and checks that the graph computes what it did; gives the loops and recurrent
 * operators that it has then.
 */
async function recognised(graph: Graph): Promise<readonly string[]> {
  const given: Tensor[] = [
    input,
    ...graph.inputs
      .slice(1)
      .map((_, i) => tensor('float64', [batch, size], wave(batch * size, 20 + i))),
  ];
  const before = await evaluate(graph, given);
  await runPass(loopToScan, graph, undefined);
  await runPass(recogniseRecurrent, graph, undefined);
  expect(await runPass(loopToScan, graph, undefined)).toBe(0);
  expect(await runPass(recogniseRecurrent, graph, undefined)).toBe(0);
  const after = await evaluate(graph, given);
  for (const [name, value] of before) {
    expect(after.get(name)!.shape).toEqual(value.shape);
    toNumbers(after.get(name)!).forEach((number, i) =>
      expect(number).toBeCloseTo(toNumbers(value)[i]!, 12),
    );
  }
  return operators(graph);
}

/** An LSTM as Keras has it, with the four gates of `order` in one matrix. */
const keras =
  (order: string): Step =>
  (body, x, [h, c]) => {
    const product = add(
      body,
      matMul(body, x, matrix(body, [features, 4 * size], 1)),
      matMul(body, h!, matrix(body, [size, 4 * size], 2)),
    );
    const all = parts(body, add(body, product, matrix(body, [4 * size], 3)), 4);
    const gate = (name: string) => all[order.indexOf(name)]!;
    const cell = add(
      body,
      mul(body, sigmoid(body, gate('f')), c!),
      mul(body, sigmoid(body, gate('i')), tanh(body, gate('c'))),
    );
    return [mul(body, sigmoid(body, gate('o')), tanh(body, cell)), cell];
  };

test.each(['ifco', 'icfo', 'iofc'])('an LSTM with its gates in the order %s', async (order) => {
  expect(await recognised(sequence(keras(order), 2))).toEqual(['LSTM']);
});

test('an LSTM over a sequence of any length', async () => {
  expect(await recognised(sequence(keras('ifco'), 2, symbol('steps')))).toEqual(['LSTM']);
});

const turned: Step = (body, x, [c, h], trip) =>
  [...keras('ifco')(body, x, [h!, c!], trip)].reverse();

test('an LSTM whose states are carried in the other order', async () => {
  expect(await recognised(sequence(turned, 2, time, 1))).toEqual(['LSTM']);
});

test('an LSTM that yields its cell is none', async () => {
  expect(await recognised(sequence(turned, 2, time, 0))).toEqual(['Scan']);
});

test('a GRU that resets after the product, with two biases', async () => {
  const step: Step = (body, x, [h]) => {
    const past = parts(
      body,
      add(body, matMul(body, h!, matrix(body, [size, 3 * size], 2)), matrix(body, [3 * size], 3)),
      3,
    );
    const now = parts(
      body,
      add(
        body,
        matMul(body, x, matrix(body, [features, 3 * size], 1)),
        matrix(body, [3 * size], 4),
      ),
      3,
    );
    const [z, r] = [0, 1].map((i) => sigmoid(body, add(body, now[i]!, past[i]!)));
    const fresh = tanh(body, add(body, now[2]!, mul(body, r!, past[2]!)));
    return [add(body, mul(body, z!, h!), mul(body, oneMinus(body, z!), fresh))];
  };
  const graph = sequence(step, 1);
  expect(await recognised(graph)).toEqual(['GRU']);
  expect([...graph.nodes].find((node) => node.is(ops.GRU))?.attrs).toMatchObject({
    linearBeforeReset: true,
    activations: ['Sigmoid', 'Tanh'],
  });
});

test('a GRU that resets before the product', async () => {
  const step: Step = (body, x, [h]) => {
    const now = parts(
      body,
      add(
        body,
        matMul(body, x, matrix(body, [features, 3 * size], 1)),
        matrix(body, [3 * size], 4),
      ),
      3,
    );
    const past = parts(body, matMul(body, h!, matrix(body, [size, 2 * size], 2)), 2);
    const [z, r] = [0, 1].map((i) => sigmoid(body, add(body, past[i]!, now[i]!)));
    const fresh = tanh(
      body,
      add(body, now[2]!, matMul(body, mul(body, r!, h!), matrix(body, [size, size], 5))),
    );
    return [add(body, mul(body, oneMinus(body, z!), fresh), mul(body, z!, h!))];
  };
  const graph = sequence(step, 1);
  expect(await recognised(graph)).toEqual(['GRU']);
  expect([...graph.nodes].find((node) => node.is(ops.GRU))?.attrs).toMatchObject({
    linearBeforeReset: false,
  });
});

const plain: Step = (body, x, [h]) => [
  tanh(
    body,
    add(
      body,
      matMul(body, x, matrix(body, [features, size], 1)),
      matMul(body, h!, matrix(body, [size, size], 2)),
    ),
  ),
];

test('a plain recurrent layer without a bias', async () => {
  expect(await recognised(sequence(plain, 1))).toEqual(['RNN']);
});

test('a layer that keeps only its last state', async () => {
  const followed: Step = (body, x, [h, last], trip) => {
    const [next] = plain(body, x, [h!], trip);
    return [next!, next!].slice(0, last ? 2 : 1);
  };
  expect(await recognised(sequence(followed, 2))).toEqual(['RNN']);
});

test('steps that a mask skips are no plain layer', async () => {
  const masked: Step = (body, x, [h], trip) => {
    const [next] = plain(body, x, [h!], trip);
    const first = body.add(ops.Slice, { x }, { axes: [1], starts: [0], ends: [1], steps: [1] }).y;
    const runs = body.add(ops.Greater, { a: first, b: body.literal('float64', [], [0]) }, {}).y;
    return [body.add(ops.Where, { condition: runs, x: next!, y: h! }, {}).y];
  };
  expect(await recognised(sequence(masked, 1))).toEqual(['Scan']);
});

test('a loop that computes with the number of the trip stays one', async () => {
  const counting: Step = (body, x, states, trip) => [
    add(
      body,
      plain(body, x, states, trip)[0]!,
      body.add(ops.Cast, { x: trip }, { to: 'float64' }).y,
    ),
  ];
  expect(await recognised(sequence(counting, 1))).toEqual(['Loop']);
});

test('a loop that yields the number of the trip stays one', async () => {
  const graph = sequence(plain, 1);
  const [node] = [...graph.nodes].filter((each) => each.is(ops.Loop));
  const { graph: body, captures } = node!.regions['body']!;
  body.output('trip', body.inputs[0]!);
  const { outputs } = graph.add(
    ops.Loop,
    node!.operands as never,
    { carried: 1 },
    { regions: { body: { graph: body, captures } } },
  );
  graph.output('trips', outputs[2]!);
  graph.remove(node!);
  graph.outputs.splice(0, 2);
  expect(await recognised(graph)).toEqual(['Loop']);
});

test.each([
  ['the square of the state', (body: Graph, x: Value, h: Value) => [x, mul(body, h, h)] as const],
  [
    'a step that the body changes first',
    (body: Graph, x: Value, h: Value) => [tanh(body, x), h] as const,
  ],
])('a layer over %s is no plain layer', async (_, change) => {
  const step: Step = (body, x, [h], trip) => {
    const [changedX, changedH] = change(body, x, h!);
    return plain(body, changedX, [changedH], trip);
  };
  expect(await recognised(sequence(step, 1))).toEqual(['Scan']);
});

describe.each(['forward', 'reverse', 'bidirectional'] as const)(
  '%s operators that were written as loops come back',
  (direction) => {
    const directions = direction === 'bidirectional' ? 2 : 1;
    test.each([
      ['LSTM', 4, ['Sigmoid', 'Tanh', 'Tanh'], { inputForget: false }],
      ['GRU', 3, ['Sigmoid', 'Tanh'], { linearBeforeReset: true }],
      ['GRU', 3, ['Sigmoid', 'Tanh'], { linearBeforeReset: false }],
      ['RNN', 1, ['Relu'], {}],
    ] as const)('%s', async (name, gates, activations, extra) => {
      const graph = new Graph();
      const x = graph.input('x', 'float64', [symbol('steps'), batch, features]);
      const operands = {
        x,
        w: matrix(graph, [directions, gates * size, features], 1),
        r: matrix(graph, [directions, gates * size, size], 2),
        b: matrix(graph, [directions, 2 * gates * size], 3),
      };
      const repeated = Array.from({ length: directions }, () => activations).flat();
      const attrs = {
        hiddenSize: size,
        direction,
        activations: repeated,
        activationAlpha: [],
        activationBeta: [],
        clip: null,
        ...extra,
      };
      const results = graph.add(ops[name], operands as never, attrs as never) as {
        readonly y: Value;
        readonly yH: Value;
      };
      graph.output('y', results.y);
      graph.output('yH', results.yH);
      const whole = await evaluate(graph, [input]);
      await runPass(lower, graph, { keep: () => false });
      await runPass(simplifyMovement, graph, undefined);
      await runPass(foldConstants, graph, { maxBytes: 1e6 });
      expect(operators(graph)).toEqual(Array(directions).fill('Loop'));
      expect(await recognised(graph)).toEqual(Array(directions).fill(name));
      for (const [output, value] of await evaluate(graph, [input]))
        toNumbers(value).forEach((number, i) =>
          expect(number).toBeCloseTo(toNumbers(whole.get(output)!)[i]!, 12),
        );
    });
  },
);
