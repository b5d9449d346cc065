import { ByteHandle } from '../bytes/byte-handle.js';
import { Graph } from '../graph/graph.js';
import type { Region } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { ops } from '../ops/ops.js';
import { symbol } from '../tensor/dim.js';
import { encodeTensor, tensor, toNumbers, type Tensor } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import { bindInputs } from './bind-inputs.js';
import { Evaluator } from './evaluator.js';
import type { Step } from './step.js';

const floats = (...values: number[]) => tensor('float32', [values.length], values);
const number = (value: number) => tensor('float32', [], [value]);

/** A step as text: the bodies around it, then the node and what it made. */
const told = ({ path, node, outputs }: Step) =>
  [
    ...path.map((entry) => `${entry.node.name}.${entry.body}[${entry.trip}]`),
    `${node.name} = ${[...toNumbers(outputs[0]!)].join(' ')}`,
  ].join(' / ');

async function stepsOf(evaluator: Evaluator): Promise<string[]> {
  const steps: string[] = [];
  await evaluator.run((step) => steps.push(told(step)));
  return steps;
}

/** A body of scalars. */
function body(
  around: Graph,
  parameters: readonly Value['dtype'][],
  build: (graph: Graph, values: readonly Value[]) => readonly Value[],
): Region {
  const graph = new Graph('body', around);
  const values = parameters.map((dtype, i) => graph.input(`p${i}`, dtype, []));
  build(graph, values).forEach((value, i) => graph.output(`r${i}`, value));
  return graph.region();
}

const add = (graph: Graph, name: string, a: Value, b: Value) =>
  graph.add(ops.Add, { a, b }, {}, { name }).y;

describe('steps in bodies', () => {
  it('come with their path, trip by trip, before the node that has the body', async () => {
    // Three trips of v <- v + x, where the sum is doubled by a function when it is above 2.
    const graph = new Graph();
    const x = graph.input('x', 'float32', []);
    const trips = body(graph, ['int64', 'bool', 'float32'], (inner, [, goes, v]) => {
      const sum = add(inner, 'sum', v!, inner.capture(x));
      const isLarge = inner.add(
        ops.Greater,
        { a: sum, b: inner.literal('float32', [], [2]) },
        {},
        { name: 'large' },
      ).y;
      const branches = {
        then: body(inner, [], (then) => [
          then.add(
            ops.Call,
            { operands: [then.capture(sum)] },
            { function: 'double' },
            {
              name: 'call',
              regions: { body: body(then, ['float32'], (f, [p]) => [add(f, 'twice', p!, p!)]) },
            },
          ).outputs[0]!,
        ]),
        else: body(inner, [], (other) => [other.capture(sum)]),
      };
      const { outputs } = inner.add(
        ops.If,
        { condition: isLarge },
        {},
        { name: 'if', regions: branches },
      );
      return [goes!, outputs[0]!];
    });
    const { outputs } = graph.add(
      ops.Loop,
      { maxTrips: graph.literal('int64', [], [3]), carried: [x] },
      { carried: 1 },
      { name: 'loop', regions: { body: trips } },
    );
    graph.output('y', add(graph, 'last', outputs[0]!, x));
    const evaluator = new Evaluator(graph, bindInputs(graph, [number(1)]));
    // 1 + 1 = 2; 2 + 1 = 3, doubled 6; 6 + 1 = 7, doubled 14; 14 + 1 = 15.
    expect(await stepsOf(evaluator)).toEqual([
      'loop.body[0] / sum = 2',
      'loop.body[0] / large = 0',
      'loop.body[0] / if = 2',
      'loop.body[1] / sum = 3',
      'loop.body[1] / large = 1',
      'loop.body[1] / if.then[0] / call.body[0] / twice = 6',
      'loop.body[1] / if.then[0] / call = 6',
      'loop.body[1] / if = 6',
      'loop.body[2] / sum = 7',
      'loop.body[2] / large = 1',
      'loop.body[2] / if.then[0] / call.body[0] / twice = 14',
      'loop.body[2] / if.then[0] / call = 14',
      'loop.body[2] / if = 14',
      'loop = 14',
      'last = 15',
    ]);
    expect(await evaluator.run()).toEqual([number(15)]);
  });

  it('of a Scan are its slices', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [symbol('n')]);
    const regions = {
      body: body(graph, ['float32', 'float32'], (inner, [state, slice]) => {
        const sum = add(inner, 'sum', state!, slice!);
        return [sum, sum];
      }),
    };
    const zero = graph.literal('float32', [], [0]);
    const { outputs } = graph.add(
      ops.Scan,
      { inputs: [zero, x] },
      { states: 1, inputAxes: [0], inputReverse: [true], outputAxes: [0], outputReverse: [false] },
      { name: 'scan', regions },
    );
    graph.output('y', outputs[1]!);
    const evaluator = new Evaluator(graph, bindInputs(graph, [floats(1, 10, 100)]));
    expect(await stepsOf(evaluator)).toEqual([
      'scan.body[0] / sum = 100',
      'scan.body[1] / sum = 110',
      'scan.body[2] / sum = 111',
      'scan = 111',
    ]);
    expect(await evaluator.run()).toEqual([floats(100, 110, 111)]);
  });

  it('throw what their operator throws', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [2]);
    const inner = new Graph('body', graph);
    const at = inner.input('at', 'int64', []);
    inner.input('goes', 'bool', []);
    const { y } = inner.add(ops.Gather, { x: inner.capture(x), indices: at }, { axis: 0 });
    inner.output('goes', inner.literal('bool', [], [true]));
    inner.output('y', y);
    const { outputs } = graph.add(
      ops.Loop,
      { maxTrips: graph.literal('int64', [], [3]), carried: [] },
      { carried: 0 },
      { regions: { body: inner.region() } },
    );
    graph.output('y', outputs[0]!);
    const evaluator = new Evaluator(graph, bindInputs(graph, [floats(5, 6)]));
    expect(told((await evaluator.step())!)).toMatch(/^Loop\.body\[0\] \/ Gather = 5$/);
    expect(told((await evaluator.step())!)).toMatch(/^Loop\.body\[1\] \/ Gather = 6$/);
    await expect(evaluator.step()).rejects.toThrow(/^core\//);
  });
});

/** y = -(x + 1), z = x * 2, and the values on the way. */
function forked() {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [symbol('n')]);
  const one = graph.literal('float32', [1], [1]);
  const sum = add(graph, 'sum', x, one);
  const negative = graph.add(ops.Neg, { x: sum }, {}, { name: 'negative' }).y;
  const double = add(graph, 'double', x, x);
  graph.output('y', negative);
  graph.output('z', double);
  return { graph, x, one, sum, negative, double };
}

describe('starting in the middle', () => {
  it('evaluates what the wanted values need from there', async () => {
    const { graph, sum, negative } = forked();
    const evaluator = new Evaluator(graph, new Map([[sum, floats(4, 5)]]), { wanted: [negative] });
    expect(await stepsOf(evaluator)).toEqual(['negative = -4 -5']);
    expect(await evaluator.run()).toEqual([floats(-4, -5)]);
  });

  it('needs every input that a wanted value rests on, and names it', () => {
    const { graph, sum } = forked();
    expect(() => new Evaluator(graph, new Map([[sum, floats(4)]]))).toThrow(
      'core/missing-input: The input "x" is not given.',
    );
  });

  it('takes a tensor in the place of a constant', async () => {
    const { graph, x, one, sum } = forked();
    const given = new Map([[x, floats(1, 2)], [one, floats(10)]]); // prettier-ignore
    expect(await new Evaluator(graph, given, { wanted: [sum] }).run()).toEqual([floats(11, 12)]);
  });

  it('refuses a tensor that cannot be that value', () => {
    const { graph, x, sum } = forked();
    const wanted = (given: Map<Value, Tensor>) => () => new Evaluator(graph, given);
    expect(wanted(new Map([[sum, tensor('int32', [1], [1])]]))).toThrow();
    expect(
      wanted(
        new Map([
          [x, floats(1, 2)],
          [sum, floats(1, 2, 3)],
        ]),
      ),
    ).toThrow(
      // prettier-ignore
      'core/input-shape: The input sum: float32[n] cannot be float32[3].',
    );
  });

  it('is told the sizes that no given tensor tells', async () => {
    const graph = new Graph();
    const n = symbol('n');
    const x = graph.input('x', 'float32', [n, 2]);
    const flat = graph.add(ops.Reshape, { x }, { shape: [4] }).y;
    const { y } = graph.add(ops.Reshape, { x: flat }, { shape: [2, n] });
    graph.output('y', y);
    const given = new Map([[flat, floats(1, 2, 3, 4)]]);
    await expect(new Evaluator(graph, given).run()).rejects.toThrow('core/not-evaluable');
    const [result] = await new Evaluator(graph, given, { sizes: new Map([['n', 2]]) }).run();
    expect(result).toEqual(tensor('float32', [2, 2], [1, 2, 3, 4]));
  });
});

describe('memory', () => {
  it('holds what a step shows until the next, and what is still needed', async () => {
    const { graph, x, sum, negative, double } = forked();
    const evaluator = new Evaluator(graph, bindInputs(graph, [floats(1)]));
    const alive = () =>
      [x, sum, negative, double].map((value) => evaluator.tensor(value) !== undefined);
    expect(alive()).toEqual([true, false, false, false]);
    await evaluator.step();
    expect(alive()).toEqual([true, true, false, false]);
    await evaluator.step();
    expect(alive()).toEqual([true, true, true, false]);
    await evaluator.step();
    expect(alive()).toEqual([true, false, true, true]);
    expect(await evaluator.step()).toBeUndefined();
    expect(alive()).toEqual([false, false, true, true]);
  });

  it('of a chain is two tensors, however long it is', async () => {
    const graph = new Graph();
    const values = [graph.input('x', 'float32', [3])];
    for (let i = 0; i < 40; i++) values.push(graph.add(ops.Neg, { x: values[i]! }, {}).y);
    graph.output('y', values.at(-1)!);
    const evaluator = new Evaluator(graph, bindInputs(graph, [floats(1, 2, 3)]));
    const counts = new Set<number>();
    await evaluator.run(() => counts.add(values.filter((value) => evaluator.tensor(value)).length));
    expect([...counts]).toEqual([2]);
  });

  it('keeps what is held until it is released', async () => {
    const { graph, x, sum } = forked();
    const evaluator = new Evaluator(graph, bindInputs(graph, [floats(1)]));
    evaluator.hold(x);
    await evaluator.step();
    evaluator.hold(sum);
    await evaluator.run();
    expect([x, sum].map((value) => evaluator.tensor(value))).toEqual([floats(1), floats(2)]);
    evaluator.release(sum);
    expect([x, sum].map((value) => evaluator.tensor(value))).toEqual([floats(1), undefined]);
  });

  it('reads a constant when a node that is wanted needs it', async () => {
    const graph = new Graph();
    const read: string[] = [];
    const stored = (name: string) =>
      graph.constant(
        Weight.stored(
          'float32',
          [1],
          name,
          ByteHandle.computed(4, async function* () {
            read.push(name);
            yield encodeTensor(floats(7));
          }),
        ),
      );
    const x = graph.input('x', 'float32', [1]);
    const sum = add(graph, 'sum', x, stored('bias'));
    add(graph, 'unwanted', sum, stored('unused'));
    graph.output('y', sum);
    const evaluator = new Evaluator(graph, bindInputs(graph, [floats(1)]));
    expect(read).toEqual([]);
    expect(await stepsOf(evaluator)).toEqual(['sum = 8']);
    expect(read).toEqual(['bias']);
  });
});

it('tells what each operator may lose for the sizes that it has', async () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [symbol('n')]);
  const attrs = { axes: [0], keepdims: false };
  graph.output('y', graph.add(ops.ReduceSum, { x }, attrs).y);
  const step = await new Evaluator(graph, bindInputs(graph, [floats(1, 2, 3, 4)])).step();
  // 1 + 4 + 9 + 16 over four, times four.
  expect(step!.rounding).toEqual({ ...ops.ReduceSum.rounding({ x: [4] }, attrs), squares: 30 });
});

it('runs beside another one, step for step, to where they part', async () => {
  const model = (slope: number) => {
    const graph = new Graph();
    let value = graph.input('x', 'float32', [2]);
    for (const [i, factor] of [3, slope, 5].entries())
      value = graph.add(
        ops.Mul,
        { a: value, b: graph.literal('float32', [1], [factor]) },
        {},
        { name: `mul${i}` },
      ).y;
    graph.output('y', value);
    return new Evaluator(graph, bindInputs(graph, [floats(1, 2)]));
  };
  const [left, right] = [model(2), model(2.5)];
  const parted: string[] = [];
  for (;;) {
    const [a, b] = [await left.step(), await right.step()];
    if (!a || !b) break;
    if (String(a.outputs[0]!.data) === String(b.outputs[0]!.data)) continue;
    parted.push(told(a), told(b));
    break;
  }
  expect(parted).toEqual(['mul1 = 6 12', 'mul1 = 7.5 15']);
});
