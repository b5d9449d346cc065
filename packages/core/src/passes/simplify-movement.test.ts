import { ByteHandle } from '../bytes/byte-handle.js';
import { evaluate } from '../evaluate/evaluate.js';
import { resultOf, valueOf } from '../graph/origin.js';
import { Graph } from '../graph/graph.js';
import { parseGraph } from '../graph/parse-text.js';
import { namedWeights, printGraph } from '../graph/text.js';
import { ops } from '../ops/ops.js';
import { evaluateDim, symbol } from '../tensor/dim.js';
import { sourcesOf } from '../tensor/tensor-transform.js';
import { encodeTensor, sizeOf, tensor, type Tensor } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import { runPass } from './define-pass.js';
import { simplifyMovement } from './simplify-movement.js';

const sizes = new Map([
  ['n', 5],
  ['m', 7],
]);

/** Elements 1, 2, 3, … for each input, the named dimensions being different primes. */
function inputsOf(graph: Graph): Tensor[] {
  return graph.inputs.map(({ dtype, shape }) => {
    const known = shape!.map((dim) => evaluateDim(dim, sizes)!);
    return tensor(
      dtype,
      known,
      Array.from({ length: sizeOf(known) }, (_, i) => i + 1),
    );
  });
}

/**
 * Runs the pass, checks that the meaning is kept and that a second run changes nothing, and gives
 * the text.
 */
async function simplified(graph: Graph): Promise<string> {
  const before = await evaluate(graph, inputsOf(graph));
  await runPass(simplifyMovement, graph, undefined);
  expect(await evaluate(graph, inputsOf(graph))).toEqual(before);
  expect(await runPass(simplifyMovement, graph, undefined)).toBe(0);
  return printGraph(graph);
}

const body = (...lines: readonly string[]) => lines.map((line) => `  ${line}\n`).join('');
const main = (inputs: string, ...lines: readonly string[]) =>
  `graph main(${inputs}) {\n${body(...lines)}}\n`;
const pass = async (text: string) => simplified(parseGraph(text));

test('transposes compose, and cancel when they undo each other', async () => {
  const composed = await pass(
    main(
      'x: float32[n, 3, 4]',
      'a: float32[4, n, 3] = Transpose(x) {"perm":[2,0,1]}',
      'b: float32[4, 3, n] = Transpose(a) {"perm":[0,2,1]}',
      'c: float32[n, 3, 4] = Transpose(a) {"perm":[1,2,0]}',
      'd: float32[n, 3, 4] = Neg(c)',
      'return b, d',
    ),
  );
  expect(composed).toBe(
    main(
      'x: float32[n, 3, 4]',
      'b: float32[4, 3, n] = Transpose(x) {"perm":[2,1,0]}',
      'd: float32[n, 3, 4] = Neg(x)',
      'return b, d',
    ),
  );
});

test('a transpose that only moves dimensions of 1 is a reshape, also when one size is known only at run time', async () => {
  expect(
    await pass(
      main(
        'x: float32[n, 1, 4, 4]',
        'y: float32[n, 4, 4, 1] = Transpose(x) {"perm":[0,2,3,1]}',
        'return y',
      ),
    ),
  ).toBe(
    main(
      'x: float32[n, 1, 4, 4]',
      'y: float32[n, 4, 4, 1] = Reshape(x) {"shape":["n",4,4,1]}',
      'return y',
    ),
  );
  const graph = new Graph();
  const x = graph.input('x', 'float32', [6]);
  const { y: places } = graph.add(ops.NonZero, { x }, {}, { name: 'places' });
  const { y } = graph.add(ops.Transpose, { x: places }, { perm: [1, 0] }, { name: 'y' });
  graph.output('y', y);
  expect(await simplified(graph)).toContain('= Reshape(places) {"shape":[-1,1]}');
});

test('transposes meet before they become reshapes', async () => {
  const text = await pass(
    main(
      'x: float32[n, 1, 3, 4]',
      'a: float32[n, 3, 4, 1] = Transpose(x) {"perm":[0,2,3,1]}',
      'y: float32[n, 4, 3, 1] = Transpose(a) {"perm":[0,2,1,3]}',
      'return y',
    ),
  );
  expect(text).toBe(
    main(
      'x: float32[n, 1, 3, 4]',
      'y: float32[n, 4, 3, 1] = Transpose(x) {"perm":[0,3,2,1]}',
      'return y',
    ),
  );
});

test('chains of reshapes become one, and go when they come back', async () => {
  const text = await pass(
    main(
      'x: float32[n, 3, 4]',
      'a: float32[n, 12] = Reshape(x) {"shape":["n",-1]}',
      'b: float32[n, 1, 12] = Unsqueeze(a) {"axes":[1]}',
      'c: float32[n, 6, 2] = Reshape(b) {"shape":["n",6,2]}',
      'd: float32[n, 3, 4] = Reshape(c) {"shape":["n",3,4]}',
      'e: float32[n, 3, 4] = Exp(d)',
      'return c, e, b',
    ),
  );
  expect(text).toBe(
    main(
      'x: float32[n, 3, 4]',
      'c: float32[n, 6, 2] = Reshape(x) {"shape":["n",6,2]}',
      'e: float32[n, 3, 4] = Exp(x)',
      'b: float32[n, 1, 12] = Reshape(x) {"shape":["n",1,12]}',
      'return c, e, b',
    ),
  );
});

test('pairs of Squeeze and Unsqueeze cancel or merge, whatever the shape', async () => {
  const text = await pass(
    main(
      'x: float32[n, 1, 4, 1]',
      'a: float32[n, 4, 1] = Squeeze(x) {"axes":[1]}',
      'b: float32[n, 4] = Squeeze(a) {"axes":[2]}',
      'c: float32[1, n, 4] = Unsqueeze(b) {"axes":[0]}',
      'd: float32[1, 1, n, 1, 4] = Unsqueeze(c) {"axes":[0,3]}',
      'e: float32[n, 4] = Squeeze(c) {"axes":[0]}',
      'f: float32[n, 4] = Neg(e)',
      'return d, f',
    ),
  );
  expect(text).toBe(
    main(
      'x: float32[n, 1, 4, 1]',
      'b: float32[n, 4] = Squeeze(x) {"axes":[1,3]}',
      'd: float32[1, 1, n, 1, 4] = Unsqueeze(b) {"axes":[0,1,3]}',
      'f: float32[n, 4] = Neg(b)',
      'return d, f',
    ),
  );
  const graph = new Graph();
  const x = graph.input('x', 'float32', undefined);
  const { y: a } = graph.add(ops.Unsqueeze, { x }, { axes: [2, 0] });
  const { y: b } = graph.add(ops.Squeeze, { x: a }, { axes: [0, 2] });
  graph.output('y', graph.add(ops.Exp, { x: b }, {}).y);
  expect(await runPass(simplifyMovement, graph, undefined)).toBe(1);
  expect(graph.sorted().map(({ op }) => op.name)).toEqual(['Exp']);
});

test('nodes that give their operand as it is go; names of outputs stay', async () => {
  const text = await pass(
    main(
      'x: float32[n, 1, m]',
      'a: float32[n, 1, m] = Cast(x) {"to":"float32"}',
      'b: float32[n, 1, m] = Concat(a) {"axis":0}',
      'c: float32[n, 1, m] = Expand(b) {"shape":[1,"m"]}',
      'd: float32[n, 1, m] = Slice(c) {"axes":[0,2],"starts":[0,0],"ends":["n",2147483647],"steps":[1,1]}',
      'e: float32[n, 1, m] = Pad(d) {"mode":"edge","pads":[0,0,0,0,0,0]}',
      'f: float32[n, 1, m] = Tile(e) {"repeats":[1,1,1]}',
      'g: float32[n, 1, m] = Reverse(f) {"axes":[1]}',
      'h: float32[n, 1, m] = Split(g) {"axis":1,"sizes":[1]}',
      'i: float32[n, 1, m] = Reshape(h) {"shape":[-1,1,"m"]}',
      'j: float32[n, 1, m] = Transpose(i) {"perm":[0,1,2]}',
      'return first = j, second = i',
    ),
  );
  expect(text).toBe(main('x: float32[n, 1, m]', 'return first = x, second = x'));
});

test('what changes something stays', async () => {
  const text = main(
    'x: float32[n, 3, m]',
    'a: float32[n, 3, m] = Reverse(x) {"axes":[1]}',
    'b: float32[n, 3, 2*m] = Tile(a) {"repeats":[1,1,2]}',
    'c: float32[2*m, 3, n] = Transpose(b) {"perm":[2,1,0]}',
    'd: float32[2*m, 3*n] = Reshape(c) {"shape":["2*m","3*n"]}',
    'e: float32[3*n, 2*m] = Transpose(d) {"perm":[1,0]}',
    'f: float32[3*n+2, 2*m] = Pad(e) {"mode":"edge","pads":[1,0,1,0]}',
    'g: float32[min(3*n+2,9), 2*m] = Slice(f) {"axes":[0],"starts":[0],"ends":[9],"steps":[1]}',
    'return g',
  );
  expect(await pass(text)).toBe(text);
});

test('bounds of slices are said in one way', async () => {
  const text = await pass(
    main(
      'x: float32[n, 6, 5]',
      'a: float32[n, 2, 5] = Slice(x) {"axes":[2,1,0],"starts":[-9,-3,0],"ends":[99,-1,2147483647],"steps":[1,1,1]}',
      'b: float32[n, 3, 5] = Slice(x) {"axes":[1],"starts":[-2],"ends":[-9],"steps":[-2]}',
      'c: float32[n, 1, 5] = Slice(x) {"axes":[1],"starts":[-1],"ends":[4],"steps":[-3]}',
      'd: float32[n, 0, 5] = Slice(x) {"axes":[1],"starts":[4],"ends":[2],"steps":[1]}',
      'return a, b, c, d',
    ),
  );
  expect(text).toBe(
    main(
      'x: float32[n, 6, 5]',
      'a: float32[n, 2, 5] = Slice(x) {"axes":[1],"starts":[3],"ends":[5],"steps":[1]}',
      'b: float32[n, 3, 5] = Slice(x) {"axes":[1],"starts":[4],"ends":[-9007199254740991],"steps":[-2]}',
      'c: float32[n, 1, 5] = Slice(x) {"axes":[1],"starts":[5],"ends":[6],"steps":[1]}',
      'd: float32[n, 0, 5] = Slice(x) {"axes":[1],"starts":[0],"ends":[0],"steps":[1]}',
      'return a, b, c, d',
    ),
  );
});

/** A constant that counts how often it is read. */
function stored(
  graph: Graph,
  name: string,
  values: Tensor,
): { value: ReturnType<Graph['constant']>; reads: () => number } {
  let reads = 0;
  const bytes = encodeTensor(values);
  const content = ByteHandle.computed(bytes.length, async function* () {
    reads++;
    yield bytes;
  });
  const weight = Weight.stored(values.dtype, values.shape, name, content);
  return { value: graph.constant(weight, name, valueOf('m.onnx', name)), reads: () => reads };
}

test('movement of constants becomes steps over their handles, and nothing is read', async () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [symbol('n'), 4]);
  const w = stored(
    graph,
    'dense.weight',
    tensor(
      'float32',
      [3, 4],
      Array.from({ length: 12 }, (_, i) => i),
    ),
  );
  const { y: turned } = graph.add(
    ops.Transpose,
    { x: w.value },
    { perm: [1, 0] },
    { name: 'turned' },
  );
  const { y: product } = graph.add(ops.MatMul, { a: x, b: turned }, {}, { name: 'product' });
  const { y: backwards } = graph.add(
    ops.Slice,
    { x: w.value },
    { axes: [1], starts: [2], ends: [0], steps: [-1] },
    { name: 'backwards' },
  );
  const { y: row } = graph.add(
    ops.Gather,
    { x: backwards, indices: graph.literal('int64', [], [-1]) },
    { axis: 0 },
    { name: 'row' },
  );
  const { y: double } = graph.add(
    ops.Concat,
    { inputs: [row, row] },
    { axis: 0 },
    { name: 'double' },
  );
  const { outputs } = graph.add(
    ops.Split,
    { x: double },
    { axis: 0, sizes: [3, 1] },
    { name: 'parts' },
  );
  const { y: sum } = graph.add(ops.Add, { a: product, b: outputs[0]! }, {}, { name: 'sum' });
  graph.output('y', sum);
  const before = await evaluate(graph, inputsOf(graph));
  const readsBefore = w.reads();
  expect(await runPass(simplifyMovement, graph, undefined)).toBe(5);
  expect(w.reads()).toBe(readsBefore);
  expect(await evaluate(graph, inputsOf(graph))).toEqual(before);
  expect(printGraph(graph)).toBe(
    main(
      'x: float32[n, 4]',
      'turned: float32[4, 3] = weight',
      'parts:0: float32[3] = weight',
      'product: float32[n, 3] = MatMul(x, turned)',
      'sum: float32[n, 3] = Add(product, parts:0)',
      'return y = sum',
    ),
  );
  expect(sourcesOf(namedWeights(graph).get('turned')!)).toEqual([
    {
      name: 'dense.weight',
      transform: {
        dtype: 'float32',
        shape: [3, 4],
        steps: [{ kind: 'transpose', perm: [1, 0] }],
      },
    },
  ]);
  const [turnedConstant] = graph.constants();
  expect(turnedConstant!.origin).toEqual({
    ...valueOf('m.onnx', 'dense.weight'),
    view: { perm: [1, 0] },
  });
});

test('filters go whose results are cut off, unless something else uses them', async () => {
  const convolution = (isShared: boolean) => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [1, 1, 3]);
    const w = graph.constant(Weight.from(tensor('float32', [3, 1, 2], [1, 2, 3, 4, 5, 6])), 'w');
    const bias = graph.constant(Weight.from(tensor('float32', [3], [7, 8, 9])), 'bias');
    const window = {
      layout: 'channelsFirst',
      strides: [1],
      dilations: [1],
      padding: 'explicit',
      pads: [0, 0],
      groups: 1,
    } as const;
    const { y: all } = graph.add(ops.Conv, { x, w, bias }, window, { name: 'all' });
    const { y } = graph.add(
      ops.Slice,
      { x: all },
      { axes: [1], starts: [1], ends: [3], steps: [1] },
      { name: 'cut' },
    );
    graph.output('y', y);
    if (isShared) graph.output('all', all);
    return graph;
  };
  const attrs =
    '{"layout":"channelsFirst","strides":[1],"dilations":[1],"padding":"explicit","pads":[0,0],"groups":1}';
  expect(await simplified(convolution(false))).toBe(
    main(
      'x: float32[1, 1, 3]',
      'w: float32[2, 1, 2] = constant [3, 4, 5, 6]',
      'bias: float32[2] = constant [8, 9]',
      `cut: float32[1, 2, 2] = Conv(x, w, bias) ${attrs}`,
      'return y = cut',
    ),
  );
  expect(await simplified(convolution(true))).toContain('Slice(all)');
});

test.each([
  ['channels', 2, 'Conv(x, w)'],
  ['positions', 1, 'Slice('],
])('channels last, a cut through the %s', async (_, axis, expected) => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [1, symbol('n'), 1]);
  const w = graph.constant(Weight.from(tensor('float32', [3, 1, 2], [1, 2, 3, 4, 5, 6])), 'w');
  const window = {
    layout: 'channelsLast',
    strides: [1],
    dilations: [1],
    padding: 'explicit',
    pads: [0, 0],
    groups: 1,
  } as const;
  const { y: all } = graph.add(ops.Conv, { x, w }, window, { name: 'all' });
  const { y } = graph.add(
    ops.Slice,
    { x: all },
    { axes: [axis], starts: [0], ends: [2], steps: [1] },
    { name: 'cut' },
  );
  graph.output('y', y);
  const text = await simplified(graph);
  expect(text).toContain(expected);
  expect(text.includes('w: float32[2, 1, 2]')).toBe(axis === 2);
});

test('what takes the place of a node has its name, origin and type', async () => {
  const own = { file: 'm.onnx', path: [] };
  const source = { ...own, node: 'model/last', op: 'permute' };
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2, 3]);
  const { y: inner } = graph.add(ops.Transpose, { x }, { perm: [1, 0] }, { name: 'inner' });
  const { y: wide } = graph.add(ops.Unsqueeze, { x: inner }, { axes: [0] }, { name: 'wide' });
  const { y: outer } = graph.add(
    ops.Transpose,
    { x: wide },
    { perm: [0, 2, 1] },
    {
      name: 'outer',
      origin: { ...own, node: 'model/outer', op: 'Transpose' },
      outputs: ['outer:0'],
    },
  );
  const { y } = graph.add(
    ops.Transpose,
    { x: outer },
    { perm: [1, 2, 0] },
    { name: 'last', origin: source },
  );
  y.origin = resultOf(source, 0, 'model/last:0');
  graph.output('y', y);
  await simplified(graph);
  const last = graph.outputs[0]!.value;
  expect(last.name).toBe('last');
  expect(last.origin).toEqual(resultOf(source, 0, 'model/last:0'));
  expect(last.producer!.origin).toEqual(source);
  expect(graph.sorted().map(({ op }) => op.name)).toEqual(['Transpose', 'Unsqueeze', 'Transpose']);
});

test('bodies are simplified too, and values that they capture are replaced', async () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2, 3]);
  const condition = graph.input('condition', 'bool', []);
  const { y: same } = graph.add(ops.Reshape, { x }, { shape: [2, 3] }, { name: 'same' });
  const branch = (name: string) => {
    const inner = new Graph(name, graph);
    const captured = inner.capture(same);
    const { y: a } = inner.add(ops.Transpose, { x: captured }, { perm: [1, 0] });
    const { y: b } = inner.add(ops.Transpose, { x: a }, { perm: [1, 0] });
    inner.output('y', inner.add(name === 'then' ? ops.Exp : ops.Neg, { x: b }, {}).y);
    return inner.region();
  };
  const { outputs } = graph.add(
    ops.If,
    { condition },
    {},
    { name: 'if', regions: { then: branch('then'), else: branch('else') } },
  );
  graph.output('y', outputs[0]!);
  await simplified(graph);
  const node = outputs[0]!.producer!;
  expect(node.regions['then']!.captures).toEqual([x]);
  expect(node.regions['then']!.graph.sorted().map(({ op }) => op.name)).toEqual(['Exp']);
  expect(graph.sorted().map(({ op }) => op.name)).toEqual(['If']);
});

test('a product of rows needs no reshapes around it', async () => {
  const between = (first: string, last: string) => [
    'w: float32[4, 5] = weight',
    `a: float32[3*n, 4] = Reshape(${first}) {"shape":["3*n",4]}`,
    'p: float32[3*n, 5] = MatMul(a, w)',
    `y: ${last}`,
    'return y',
  ];
  const weights = new Map([
    [
      'w',
      Weight.from(
        tensor(
          'float32',
          [4, 5],
          Array.from({ length: 20 }, (_, i) => i),
        ),
      ),
    ],
  ]);
  const run = async (input: string, lines: readonly string[]) =>
    simplified(parseGraph(main(input, ...lines), weights));
  expect(
    await run(
      'x: float32[n, 3, 4]',
      between('x', 'float32[n, 3, 5] = Reshape(p) {"shape":["n",3,5]}'),
    ),
  ).toContain('y: float32[n, 3, 5] = MatMul(x, w) @ p');
  const other = await run(
    'x: float32[n, 3, 2, 2]',
    between('x', 'float32[n, 3, 5] = Reshape(p) {"shape":["n",3,5]}'),
  );
  expect(other).toContain('a: float32[n, 3, 4] = Reshape(x) {"shape":["n",3,4]}');
  expect(other).toContain('y: float32[n, 3, 5] = MatMul(a, w) @ p');
  // Here the columns of the product are not kept together.
  expect(
    await run(
      'x: float32[n, 3, 4]',
      between('x', 'float32[n, 5, 3] = Reshape(p) {"shape":["n",5,3]}'),
    ),
  ).toContain('Reshape(p)');
});

test('two reversals cancel where they are of the same axes', async () => {
  const twice = (axes: string) => [
    'a: float32[n, 3] = Reverse(x) {"axes":[0,1]}',
    `b: float32[n, 3] = Reverse(a) {"axes":${axes}}`,
    'y: float32[n, 3] = Neg(b)',
    'return y',
  ];
  expect(await pass(main('x: float32[n, 3]', ...twice('[1,0]')))).toBe(
    main('x: float32[n, 3]', 'y: float32[n, 3] = Neg(x)', 'return y'),
  );
  expect(await pass(main('x: float32[n, 3]', ...twice('[1]')))).toContain('Reverse(a)');
});
