import { DroverError } from '../diagnostics/diagnostic.js';
import { cloneGraph } from '../graph/clone.js';
import { evaluate } from '../evaluate/evaluate.js';
import { Graph } from '../graph/graph.js';
import type { Region } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { verify } from '../graph/verify.js';
import { runPass } from '../passes/define-pass.js';
import { inlineCalls } from '../passes/inline-calls.js';
import { lower } from '../passes/lower.js';
import { symbol } from '../tensor/dim.js';
import { tensor, type Tensor } from '../tensor/tensor.js';
import { foreignTypes } from './foreign.js';
import { ops } from './ops.js';

const floats = (...values: number[]): Tensor => tensor('float32', [values.length], values);
const refused = (build: () => unknown): string => {
  try {
    build();
  } catch (error) {
    if (error instanceof DroverError) return error.message;
    throw error;
  }
  return 'accepted';
};

/** A body over parameters of the given types; `build` makes its results. */
function body(
  outer: Graph,
  parameters: readonly Value['type'][],
  build: (graph: Graph, values: readonly Value[]) => readonly Value[],
): Region {
  const graph = new Graph('body', outer);
  const values = parameters.map(({ dtype, shape }, i) => graph.input(`p${i}`, dtype, shape));
  build(graph, values).forEach((value, i) => graph.output(`r${i}`, value));
  return graph.region();
}

const scalarInt = { dtype: 'int64', shape: [] } as const;
const scalarBool = { dtype: 'bool', shape: [] } as const;
const vector = { dtype: 'float32', shape: [1] } as const;

describe('If', () => {
  const branches = (graph: Graph, x: Value) => ({
    then: body(graph, [], (inner) => [
      inner.add(ops.Add, { a: inner.capture(x), b: inner.capture(x) }, {}).y,
    ]),
    else: body(graph, [], (inner) => [
      inner.add(
        ops.Concat,
        { inputs: [inner.capture(x), inner.literal('float32', [1], [7])] },
        { axis: 0 },
      ).y,
    ]),
  });

  test('runs the body that the condition names, and knows what both have in common', async () => {
    const graph = new Graph();
    const [cond, x] = [graph.input('cond', 'bool', []), graph.input('x', 'float32', [symbol('n')])];
    const { outputs } = graph.add(ops.If, { condition: cond }, {}, { regions: branches(graph, x) });
    graph.output('y', outputs[0]!);
    verify(graph);
    expect(outputs[0]!.shape).toHaveLength(1);
    expect(String(outputs[0]!.shape![0])).toMatch(/^\?/);
    expect((await evaluate(graph, [tensor('bool', [], [true]), floats(1, 2)])).get('y')).toEqual(
      floats(2, 4),
    );
    expect((await evaluate(graph, [tensor('bool', [], [false]), floats(1, 2)])).get('y')).toEqual(
      floats(1, 2, 7),
    );
  });

  test('C1: the condition is one element', () => {
    const graph = new Graph();
    const [cond, x] = [graph.input('cond', 'bool', [2]), graph.input('x', 'float32', [1])];
    expect(
      refused(() => graph.add(ops.If, { condition: cond }, {}, { regions: branches(graph, x) })),
    ).toContain('If C1');
  });

  test('bodies with other results, or none, are refused', () => {
    const graph = new Graph();
    const condition = graph.input('cond', 'bool', []);
    const one = () => body(graph, [], (inner) => [inner.literal('float32', [], [1])]);
    const two = () =>
      body(graph, [], (inner) => [
        inner.literal('float32', [], [1]),
        inner.literal('float32', [], [1]),
      ]);
    const whole = () => body(graph, [], (inner) => [inner.literal('int32', [], [1])]);
    expect(
      refused(() =>
        graph.add(ops.If, { condition }, {}, { regions: { then: one(), else: two() } }),
      ),
    ).toContain('one has 1 results, the other 2');
    expect(
      refused(() =>
        graph.add(ops.If, { condition }, {}, { regions: { then: one(), else: whole() } }),
      ),
    ).toContain('float32 in one and int32');
    expect(
      refused(() => graph.add(ops.If, { condition }, {}, { regions: { then: one() } })),
    ).toContain('it is missing');
  });
});

describe('Loop', () => {
  // The case `test_loop11` of the ONNX standard: y = y + x[i] over five trips from y = -2, every y
  // stacked.
  const accumulate = (graph: Graph, goes: (inner: Graph, values: readonly Value[]) => Value) => {
    const x = graph.input('x', 'float32', [5]);
    const step = body(graph, [scalarInt, scalarBool, vector], (inner, values) => {
      const index = inner.add(ops.Unsqueeze, { x: values[0]! }, { axes: [0] }).y;
      const y = inner.add(
        ops.Add,
        {
          a: values[2]!,
          b: inner.add(ops.Gather, { x: inner.capture(x), indices: index }, { axis: 0 }).y,
        },
        {},
      ).y;
      return [goes(inner, values), y, y];
    });
    return step;
  };
  const always = (inner: Graph) => inner.literal('bool', [], [true]);

  test('carries and stacks', async () => {
    const graph = new Graph();
    const step = accumulate(graph, always);
    const y = graph.input('y', 'float32', [1]);
    const maxTrips = graph.literal('int64', [], [5]);
    const { outputs } = graph.add(
      ops.Loop,
      { maxTrips, carried: [y] },
      { carried: 1 },
      { regions: { body: step } },
    );
    outputs.forEach((value, i) => graph.output(`${i}`, value));
    verify(graph);
    expect(outputs.map(({ shape }) => shape)).toEqual([[1], [5, 1]]);
    const results = await evaluate(cloneGraph(graph), [floats(1, 2, 3, 4, 5), floats(-2)]);
    expect(results.get('0')).toEqual(floats(13));
    expect(results.get('1')).toEqual(tensor('float32', [5, 1], [-1, 1, 4, 8, 13]));
  });

  test('stops when the condition fails; the number of trips is then not known before', async () => {
    const graph = new Graph();
    const step = accumulate(
      graph,
      (inner, [trip]) =>
        inner.add(ops.Less, { a: trip!, b: inner.literal('int64', [], [2]) }, {}).y,
    );
    const y = graph.input('y', 'float32', [1]);
    const condition = graph.input('go', 'bool', []);
    const { outputs } = graph.add(
      ops.Loop,
      { condition, carried: [y] },
      { carried: 1 },
      { regions: { body: step } },
    );
    outputs.forEach((value, i) => graph.output(`${i}`, value));
    verify(graph);
    expect(String(outputs[1]!.shape![0])).toMatch(/^\?/);
    const run = (go: boolean) =>
      evaluate(graph, [floats(1, 2, 3, 4, 5), floats(-2), tensor('bool', [], [go])]);
    expect((await run(true)).get('1')).toEqual(tensor('float32', [3, 1], [-1, 1, 4]));
    expect((await run(false)).get('1')).toEqual(tensor('float32', [0, 1], []));
    expect((await run(false)).get('0')).toEqual(floats(-2));
  });

  test('a named number of trips is the length of what is stacked', () => {
    const graph = new Graph();
    const step = accumulate(graph, (_, values) => values[1]!);
    const sized = graph.input('sized', 'float32', [symbol('n')]);
    const shape = graph.add(ops.Shape, { x: sized }, {}).y;
    const maxTrips = graph.add(ops.Squeeze, { x: shape }, { axes: [0] }).y;
    const y = graph.input('y', 'float32', [1]);
    const { outputs } = graph.add(
      ops.Loop,
      { maxTrips, carried: [y] },
      { carried: 1 },
      { regions: { body: step } },
    );
    expect(outputs[1]!.shape!.map(String)).toEqual(['n', '1']);
  });

  test('a carried value that grows has no known size after', async () => {
    const graph = new Graph();
    const y = graph.input('y', 'float32', [1]);
    const step = body(
      graph,
      [scalarInt, scalarBool, { dtype: 'float32', shape: [symbol('?m')] }],
      (inner, values) => [
        always(inner),
        inner.add(ops.Concat, { inputs: [values[2]!, values[2]!] }, { axis: 0 }).y,
      ],
    );
    const { outputs } = graph.add(
      ops.Loop,
      { maxTrips: graph.literal('int64', [], [3]), carried: [y] },
      { carried: 1 },
      { regions: { body: step } },
    );
    graph.output('y', outputs[0]!);
    expect(String(outputs[0]!.shape![0])).toMatch(/^\?loop/);
    expect((await evaluate(graph, [floats(4)])).get('y')!.shape).toEqual([8]);
  });

  test('C1, C2 and bodies that do not fit are refused', () => {
    const graph = new Graph();
    const step = accumulate(graph, always);
    const y = graph.input('y', 'float32', [1]);
    const add = (maxTrips: Value, carried: readonly Value[], count: number, region = step) =>
      refused(() =>
        graph.add(
          ops.Loop,
          { maxTrips, carried },
          { carried: count },
          { regions: { body: region } },
        ),
      );
    expect(add(graph.literal('int64', [2], [1, 2]), [y], 1)).toContain('Loop C1');
    const trips = graph.literal('int64', [], [1]);
    expect(add(trips, [y], 2)).toContain('Loop C2');
    expect(add(trips, [y, y], 2)).toContain('its parameter x: float32[5] is passed float32[1]');
    expect(
      add(
        trips,
        [y],
        1,
        body(graph, [scalarInt, scalarBool], (inner) => [always(inner)]),
      ),
    ).toContain('a parameter is missing');
    expect(add(trips, [graph.input('z', 'float32', [2])], 1)).toContain('is passed float32[2]');
    expect(add(trips, [graph.input('i', 'int32', [1])], 1)).toContain('is passed int32[1]');
    expect(
      add(
        trips,
        [y],
        1,
        body(graph, [scalarInt, scalarBool, vector], (inner) => [always(inner)]),
      ),
    ).toContain('a condition and 1 carried values');
    const grows = body(graph, [scalarInt, scalarBool, vector], (inner, values) => [
      always(inner),
      inner.add(ops.Concat, { inputs: [values[2]!, values[2]!] }, { axis: 0 }).y,
    ]);
    expect(add(trips, [y], 1, grows)).toContain('is passed float32[2]');
  });
});

describe('Scan', () => {
  // The case `test_scan9_sum` of the ONNX standard: running sums of the rows of x.
  const sums = (graph: Graph) =>
    body(
      graph,
      [
        { dtype: 'float32', shape: [2] },
        { dtype: 'float32', shape: [2] },
      ],
      (inner, [state, row]) => {
        const sum = inner.add(ops.Add, { a: state!, b: row! }, {}).y;
        return [sum, sum];
      },
    );
  const build = (
    attrs: {
      inputAxes: number[];
      inputReverse: boolean[];
      outputAxes: number[];
      outputReverse: boolean[];
    },
    shape: readonly (number | ReturnType<typeof symbol>)[],
  ) => {
    const graph = new Graph();
    const [start, x] = [graph.input('start', 'float32', [2]), graph.input('x', 'float32', shape)];
    const { outputs } = graph.add(
      ops.Scan,
      { inputs: [start, x] },
      { states: 1, ...attrs },
      { regions: { body: sums(graph) } },
    );
    outputs.forEach((value, i) => graph.output(`${i}`, value));
    verify(graph);
    return graph;
  };
  const rows = tensor('float32', [3, 2], [1, 2, 3, 4, 5, 6]);
  const columns = tensor('float32', [2, 3], [1, 3, 5, 2, 4, 6]);
  const cases = [
    [
      'forward',
      { inputAxes: [0], inputReverse: [false], outputAxes: [0], outputReverse: [false] },
      rows,
      [3, 2],
      [1, 2, 4, 6, 9, 12],
    ],
    [
      'reversed input',
      { inputAxes: [0], inputReverse: [true], outputAxes: [0], outputReverse: [false] },
      rows,
      [3, 2],
      [5, 6, 8, 10, 9, 12],
    ],
    [
      'reversed output',
      { inputAxes: [0], inputReverse: [false], outputAxes: [0], outputReverse: [true] },
      rows,
      [3, 2],
      [9, 12, 4, 6, 1, 2],
    ],
    [
      'other axes',
      { inputAxes: [1], inputReverse: [true], outputAxes: [1], outputReverse: [true] },
      columns,
      [2, 3],
      [9, 8, 5, 12, 10, 6],
    ],
  ] as const;

  test.each(cases)('%s', async (_, attrs, x, shape, expected) => {
    const named = x.shape.map((size, axis) => (axis === attrs.inputAxes[0] ? symbol('n') : size));
    for (const graph of [build(attrs as never, x.shape), build(attrs as never, named)]) {
      for (const variant of ['scan', 'loop']) {
        if (variant === 'loop') {
          expect(await runPass(lower, graph, { keep: () => false })).toBe(1);
          expect([...graph.nodes].some((node) => node.op.name === 'Scan')).toBe(false);
        }
        const results = await evaluate(graph, [floats(0, 0), x]);
        expect(results.get('0')).toEqual(floats(9, 12));
        expect(results.get('1')).toEqual(tensor('float32', shape, expected));
      }
    }
    expect(build(attrs as never, x.shape).outputs[1]!.value.shape).toEqual([...shape]);
  });

  test('nothing to scan leaves the states and gives no rows', async () => {
    const results = await evaluate(build(cases[0][1] as never, [0, 2]), [
      floats(3, 4),
      tensor('float32', [0, 2], []),
    ]);
    expect(results.get('0')).toEqual(floats(3, 4));
    expect(results.get('1')).toEqual(tensor('float32', [0, 2], []));
  });

  test('C1, C2, C3 and bodies that do not fit are refused', () => {
    const graph = new Graph();
    const [start, x, y] = [
      graph.input('start', 'float32', [2]),
      graph.input('x', 'float32', [3, 2]),
      graph.input('y', 'float32', [4, 2]),
    ];
    const usual = {
      states: 1,
      inputAxes: [0],
      inputReverse: [false],
      outputAxes: [0],
      outputReverse: [false],
    };
    const add = (inputs: readonly Value[], attrs: Partial<typeof usual>) =>
      refused(() =>
        graph.add(ops.Scan, { inputs }, { ...usual, ...attrs }, { regions: { body: sums(graph) } }),
      );
    expect(add([start], {})).toContain('Scan C1');
    expect(add([start, x], { states: -1 })).toContain('Scan C1');
    expect(add([start, x], { inputAxes: [2] })).toContain('Scan C2');
    expect(add([start, x], { outputReverse: [] })).toContain('Scan C2');
    expect(add([start, x], { outputAxes: [-1] })).toContain('Scan C2');
    expect(add([x, y], { states: 0, inputAxes: [0, 0], inputReverse: [false, false] })).toContain(
      'Scan C3',
    );
    expect(add([start, x], { inputAxes: [1] })).toContain('is passed float32[3]');
    expect(add([start, x], { outputAxes: [2] })).toContain('output 0 has no axis 2');
    expect(add([start, x], { outputAxes: [], outputReverse: [] })).toContain(
      'it has 2 results for 1 states and 0 outputs',
    );
  });
});

describe('Call', () => {
  /** y = twice(twice(x)), the inner call in the body of the outer. */
  const nested = (): Graph => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [symbol('n')]);
    const doubled = (inner: Graph, value: Value) =>
      inner.add(ops.Add, { a: value, b: value }, {}, { name: 'sum' }).y;
    const add = (outer: Graph, operand: Value, build: Parameters<typeof body>[2]) =>
      outer.add(
        ops.Call,
        { operands: [operand] },
        { function: 'twice' },
        { name: 'call', regions: { body: body(outer, [operand.type], build) } },
      ).outputs[0]!;
    const y = add(graph, x, (inner, [a]) => [
      doubled(
        inner,
        add(inner, a!, (deep, [b]) => [doubled(deep, b!)]),
      ),
    ]);
    graph.output('y', y);
    return graph;
  };

  test('runs its body, and becomes its nodes', async () => {
    const graph = nested();
    verify(graph);
    expect(graph.outputs[0]!.value.shape).toEqual([symbol('n')]);
    expect((await evaluate(graph, [floats(1, 5)])).get('y')).toEqual(floats(4, 20));
    expect(await runPass(inlineCalls, graph, undefined)).toBe(2);
    expect(graph.sorted().map(String)).toEqual(['Add sum', 'Add sum']);
    expect(graph.outputs[0]!.value.name).toBe('call');
    expect((await evaluate(graph, [floats(1, 5)])).get('y')).toEqual(floats(4, 20));
    expect(await runPass(inlineCalls, graph, undefined)).toBe(0);
  });

  test('a function may give back a constant or what it is given', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [2]);
    const given = body(graph, [x.type], (inner, [a]) => [a!, inner.literal('float32', [1], [7])]);
    const { outputs } = graph.add(
      ops.Call,
      { operands: [x] },
      { function: 'f' },
      { regions: { body: given } },
    );
    outputs.forEach((value, i) => graph.output(String(i), value));
    await runPass(inlineCalls, graph, undefined);
    expect([graph.size, graph.outputs[0]!.value]).toEqual([0, x]);
    expect((await evaluate(graph, [floats(1, 5)])).get('1')).toEqual(floats(7));
  });

  test('bodies that do not fit are refused', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [2]);
    const add = (type: Value['type'], operands: readonly Value[]) =>
      refused(() =>
        graph.add(
          ops.Call,
          { operands },
          { function: 'f' },
          { regions: { body: body(graph, [type], (_, values) => values) } },
        ),
      );
    expect(add(x.type, [x, x])).toContain('it has 1 parameters for 2 operands');
    expect(add({ dtype: 'int64', shape: [2] }, [x])).toContain('is passed float32[2]');
    expect(add({ dtype: 'float32', shape: [3] }, [x])).toContain('is passed float32[2]');
    expect(refused(() => graph.add(ops.Call, { operands: [x] }, { function: 'f' }))).toContain(
      'it is missing',
    );
  });
});

describe('Foreign', () => {
  const attrs = {
    format: 'onnx',
    type: 'StringNormalizer',
    reason: 'core has no text operators',
    cause: 'operator' as const,
    attributes: { is_case_sensitive: 0 },
  };

  test('stands in a graph with the types of its results, and is not evaluated', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'string', [3]);
    const types = foreignTypes([
      { dtype: 'string', shape: [symbol('n')] },
      { dtype: 'float32', shape: undefined },
    ]);
    const { outputs } = graph.add(ops.Foreign, { inputs: [x] }, { ...attrs, types });
    expect(outputs.map(String)).toEqual(['Foreign:0: string[n]', 'Foreign:1: float32[…]']);
    verify(graph);
    graph.output('y', outputs[0]!);
    await expect(evaluate(graph, [tensor('string', [3], ['a', 'b', 'c'])])).rejects.toThrow(
      /StringNormalizer of onnx has no meaning here: core has no text operators/,
    );
  });

  test('a result of unknown type is untyped, and so is what follows from it', () => {
    const graph = new Graph();
    const types = foreignTypes([undefined, { dtype: 'float32', shape: [2] }]);
    const { outputs } = graph.add(ops.Foreign, { inputs: [] }, { ...attrs, types });
    expect(outputs.map(String)).toEqual(['Foreign:0: float32[…]', 'Foreign:1: float32[2]']);
    const [unknown, known] = outputs.map((x) => graph.add(ops.Exp, { x }, {}).y);
    expect([...outputs, unknown!, known!].map(({ isUntyped }) => isUntyped)).toEqual([
      true,
      false,
      true,
      false,
    ]);
    const body = new Graph('body', graph);
    body.output('z', body.capture(unknown!));
    const regions = { then: body.region(), else: body.region() };
    expect(body.inputs[0]!.isUntyped).toBe(true);
    const condition = graph.input('condition', 'bool', []);
    const { outputs: either } = graph.add(ops.If, { condition }, {}, { regions });
    expect(either[0]!.isUntyped).toBe(true);
    verify(graph);
  });

  test.each([
    ['float32'],
    [[{ dtype: 'float32' }]],
    [[{ dtype: 'float', shape: null }]],
    [[{ dtype: 'int8', shape: [-1] }]],
    [[{ dtype: 'int8', shape: [1.5] }]],
  ])('C1: types %j are refused', (types) => {
    expect(
      refused(() =>
        new Graph().add(ops.Foreign, { inputs: [] }, { ...attrs, types: types as never }),
      ),
    ).toContain('Foreign C1');
  });
});
