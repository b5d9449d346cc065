import { evaluate } from '../evaluate/evaluate.js';
import { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { strided } from '../numeric/copy.js';
import { deadCode } from '../passes/dead-code.js';
import { runPass } from '../passes/define-pass.js';
import { assignLayout } from '../passes/layout/assign-layout.js';
import { simplifyMovement } from '../passes/simplify-movement.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { stridesOf } from '../tensor/strides.js';
import { sizeOf, tensor, toNumbers, type Tensor } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import { inverse, movesNothing, permutationTo } from '../typing/permutation.js';
import type { Layout } from '../typing/window.js';
import type { Example, Op } from './define-op.js';
import { elementwise, fixed, layoutChange, spatial, type LayoutChange } from './layout.js';
import { ops, type OpName } from './ops.js';

const targets = ['channelsLast', 'channelsFirst'] as const;
const table = Object.entries(ops) as unknown as readonly (readonly [OpName, Op])[];

/** Operands of a node and its attributes, to be moved between the layouts. */
interface Case {
  readonly inputs: Example['inputs'];
  readonly attrs: Example['attrs'];
  /** Operands, by name, that are constants. */
  readonly constants?: readonly string[];
}

function permuted(x: Tensor, perm: readonly number[]): Tensor {
  const strides = stridesOf(x.shape);
  return strided(
    x,
    perm.map((p) => x.shape[p]!),
    perm.map((p) => strides[p]!),
  );
}

const forth = (target: Layout, { shape }: { readonly shape: readonly unknown[] | undefined }) =>
  permutationTo(target, shape!.length);

/** The node of a case in a graph, with `make` for its operands. */
function add(
  graph: Graph,
  op: Op,
  { inputs, attrs }: Case,
  make: (tensor: Tensor, name: string, place: number) => Value,
): Node {
  let place = 0;
  const operands = Object.fromEntries(
    Object.keys(op.inputs).map((name) => {
      const given = inputs[name];
      const { arity } = op.inputs[name]!;
      if (arity === 'many')
        return [name, (given as Tensor[]).map((each) => make(each, name, place++))];
      place++;
      return [name, given && make(given as Tensor, name, place - 1)];
    }),
  );
  graph.add(op, operands as never, attrs as never);
  return [...graph.nodes].at(-1)!;
}

const flat = (op: Op, inputs: Example['inputs']): readonly (Tensor | undefined)[] =>
  Object.keys(op.inputs).flatMap((name): readonly (Tensor | undefined)[] =>
    op.inputs[name]!.arity === 'many'
      ? (inputs[name] as readonly Tensor[])
      : [inputs[name] as Tensor | undefined],
  );

/** What the operator says of a case. */
function changeOf(op: Op, given: Case, target: Layout): LayoutChange {
  const graph = new Graph();
  return layoutChange(
    add(graph, op, given, (each, name) => graph.input(name, each.dtype, each.shape)),
    target,
  );
}

function expectSame(is: Tensor, expected: Tensor): void {
  expect([is.dtype, ...is.shape]).toEqual([expected.dtype, ...expected.shape]);
  if (!isFloat(is.dtype)) return expect([...is.data]).toEqual([...expected.data]);
  const [a, b] = [toNumbers(is), toNumbers(expected)];
  b.forEach((x, i) => Object.is(a[i], x) || expect(a[i]).toBeCloseTo(x, 10));
}

/**
 * Puts a case between transposes out of the target layout and into it, beside a pooling that must
 * change, and expects that the pass leaves no transpose where the node may move, and the meaning in
 * any case. Gives the number of transposes that are left.
 */
async function move(op: Op, given: Case, target: Layout, change: LayoutChange): Promise<number> {
  const graph = new Graph();
  const tensors: Tensor[] = [];
  const input = (each: Tensor, name: string): Value => {
    tensors.push(each);
    return graph.input(`${name}${tensors.length}`, each.dtype, each.shape);
  };
  const transpose = (x: Value, perm: readonly number[]) =>
    graph.add(ops.Transpose, { x }, { perm }).y;
  const fromTarget = (each: Tensor, name: string) => {
    const perm = forth(target, each);
    return transpose(input(permuted(each, perm), name), inverse(perm));
  };
  const image = fromTarget(ramp('float64', [1, 2, 3, 2]), 'image');
  const pooled = graph.add(
    ops.MaxPool,
    { x: image },
    {
      layout: target === 'channelsLast' ? 'channelsFirst' : 'channelsLast',
      ...{ kernel: [1, 1], strides: [1, 1], dilations: [1, 1] },
      ...{ padding: 'explicit', pads: [0, 0, 0, 0], ceil: false },
    },
  ).y;
  graph.output('pooled', transpose(pooled, forth(target, pooled)));
  const node = add(graph, op, given, (each, name, place) => {
    if (given.constants?.includes(name)) return graph.constant(Weight.from(each));
    return change.operands.includes(place) && each.shape.length >= 3
      ? fromTarget(each, name)
      : input(each, name);
  });
  node.outputs.forEach((value, i) => {
    const isMoved = change.results === 'moved' && value.rank! >= 3;
    graph.output(`${i}`, isMoved ? transpose(value, forth(target, value)) : value);
  });
  const before = await evaluate(graph, tensors);
  await runPass(assignLayout, graph, { target });
  expect(await runPass(assignLayout, graph, { target })).toBe(0);
  await runPass(simplifyMovement, graph, undefined);
  await runPass(deadCode, graph, undefined);
  const after = await evaluate(graph, tensors);
  for (const [name, expected] of before) expectSame(after.get(name)!, expected);
  return [...graph.nodes].filter(({ op: { name } }) => name === 'Transpose').length;
}

/** Elements that are all different. */
const ramp = (dtype: DType, shape: readonly number[]): Tensor =>
  tensor(
    dtype,
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => (isFloat(dtype) ? Math.sin(i + 1) : i)),
  );
const float = (...shape: readonly number[]) => ramp('float64', shape);
const int = (shape: readonly number[], values: readonly number[]) =>
  tensor(
    'int64',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => values[i % values.length]!),
  );
const codes = (...shape: readonly number[]) => ramp('uint8', shape);
const scales = (...shape: readonly number[]) =>
  tensor(
    'float64',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => 0.01 * (i + 1)),
  );

/** An elementwise operator on images of the elements of its example, over and over. */
function imagesOf(op: Op): Case {
  const { inputs, attrs } = op.examples[0]!;
  const wide = ({ dtype, data }: Tensor): Tensor => {
    const shape = [2, 3, 5, 7];
    const elements = data as ArrayLike<number>;
    return tensor(
      dtype,
      shape,
      Array.from({ length: sizeOf(shape) }, (_, i) => elements[i % elements.length]!),
    );
  };
  return {
    attrs,
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([name, each]) => [
        name,
        Array.isArray(each) ? (each as Tensor[]).map(wide) : wide(each as Tensor),
      ]),
    ),
  };
}

/** A case of a spatial operator with its first operand in the other layout. */
function inOtherLayout({ inputs, attrs }: Case): Case {
  const layout = attrs['layout'] === 'channelsLast' ? 'channelsFirst' : 'channelsLast';
  const [[name, first], ...rest] = Object.entries(inputs) as [
    [string, Tensor],
    ...[string, Tensor][],
  ];
  return {
    inputs: { [name]: permuted(first, forth(layout, first)), ...Object.fromEntries(rest) },
    attrs: { ...attrs, layout },
  };
}

const x = float(2, 3, 5, 7);
/** Cases that move to each layout. */
const moving: { readonly [K in OpName]?: readonly Case[] } = {
  Add: [
    // Operands of a lower rank line up with the last dimensions, wherever these go.
    { inputs: { a: x, b: float(3, 1, 1) }, attrs: {}, constants: ['b'] },
    { inputs: { a: x, b: float(5, 7) }, attrs: {} },
    { inputs: { a: x, b: float(3, 5, 7) }, attrs: {} },
    { inputs: { a: float(), b: x }, attrs: {} },
    { inputs: { a: float(1, 1, 1, 1), b: float(2, 3, 5, 7, 4) }, attrs: {} },
  ],
  ArgMax: [
    { inputs: { x }, attrs: { axis: 1, keepdims: true, selectLastIndex: false } },
    { inputs: { x: float(2, 5, 7) }, attrs: { axis: 2, keepdims: false, selectLastIndex: false } },
  ],
  ArgMin: [{ inputs: { x }, attrs: { axis: 3, keepdims: true, selectLastIndex: true } }],
  Concat: [
    { inputs: { inputs: [x, float(2, 4, 5, 7)] }, attrs: { axis: 1 } },
    { inputs: { inputs: [x, float(2, 3, 5, 4)] }, attrs: { axis: 3 } },
  ],
  CumSum: [{ inputs: { x }, attrs: { axis: 2, exclusive: false, reverse: true } }],
  DequantizeLinear: [
    { inputs: { x: codes(2, 3, 5, 7), scale: scales() }, attrs: { axis: null, blockSize: 0 } },
    {
      inputs: { x: codes(2, 3, 5, 7), scale: scales(1), zeroPoint: codes(1) },
      attrs: { axis: null, blockSize: 0 },
    },
    {
      inputs: { x: codes(2, 3, 5, 7), scale: scales(3), zeroPoint: codes(3) },
      attrs: { axis: 1, blockSize: 0 },
    },
    { inputs: { x: codes(2, 3, 5, 7), scale: scales(7) }, attrs: { axis: 3, blockSize: 0 } },
    {
      inputs: { x: codes(2, 3, 5, 7), scale: scales(2, 3, 3, 7), zeroPoint: codes(2, 3, 3, 7) },
      attrs: { axis: 2, blockSize: 2 },
    },
    { inputs: { x: codes(2, 3, 5), scale: scales(2, 2, 5) }, attrs: { axis: 1, blockSize: 2 } },
  ],
  Einsum: [
    { inputs: { inputs: [x, float(2, 3, 4)] }, attrs: { equation: 'bchw,bcd->bdhw' } },
    { inputs: { inputs: [x, float(7, 4)] }, attrs: { equation: 'nchw,wv' } },
    { inputs: { inputs: [x] }, attrs: { equation: 'nchw->nc' } },
  ],
  Expand: [{ inputs: { x: float(2, 1, 5, 1) }, attrs: { shape: [2, 3, 5, 7] } }],
  Gather: [
    { inputs: { x, indices: int([4], [2, 0, -1, 1]) }, attrs: { axis: 1 } },
    { inputs: { x, indices: int([2], [3, 1]) }, attrs: { axis: 2 } },
    { inputs: { x: float(2, 3, 5), indices: int([], [1]) }, attrs: { axis: 1 } },
  ],
  GatherElements: [{ inputs: { x, indices: int([2, 4, 5, 7], [1, 0, 2]) }, attrs: { axis: 1 } }],
  Hardmax: [{ inputs: { x }, attrs: { axis: 1 } }],
  LayerNormalization: [
    {
      inputs: { x, scale: float(3, 5, 7), bias: float(3, 1, 1) },
      attrs: { axis: 1, epsilon: 1e-5 },
      constants: ['scale', 'bias'],
    },
    { inputs: { x, scale: float(3, 5, 7) }, attrs: { axis: 1, epsilon: 1e-5 } },
    { inputs: { x }, attrs: { axis: 0, epsilon: 1e-5 } },
  ],
  LogSoftmax: [{ inputs: { x }, attrs: { axis: 1 } }],
  LpNormalization: [{ inputs: { x }, attrs: { axis: 2, p: 2 } }],
  OneHot: [
    {
      inputs: { indices: int([2, 5], [0, 3, 1]), values: float(2) },
      attrs: { axis: 1, depth: [4] },
    },
    {
      inputs: { indices: int([2, 5], [0, 3, 1]), values: float(2) },
      attrs: { axis: 2, depth: [4] },
    },
  ],
  Pad: [{ inputs: { x }, attrs: { mode: 'constant', pads: [0, 1, 2, 3, 4, 0, 1, 2] } }],
  QuantizeLinear: [
    {
      inputs: { x, scale: scales(), zeroPoint: codes() },
      attrs: { axis: null, blockSize: 0, saturate: true, to: 'uint8' },
    },
    {
      inputs: { x, scale: scales(3), zeroPoint: codes(3) },
      attrs: { axis: 1, blockSize: 0, saturate: true, to: 'uint8' },
    },
    {
      inputs: { x: float(2, 3, 5), scale: scales(2, 3, 2) },
      attrs: { axis: 2, blockSize: 3, saturate: true, to: 'int8' },
    },
  ],
  ReduceSum: [{ inputs: { x: float(2, 3, 5, 7, 4) }, attrs: { axes: [2], keepdims: false } }],
  Reverse: [{ inputs: { x }, attrs: { axes: [1, 3] } }],
  ReverseSequence: [
    { inputs: { x, lengths: int([3], [2, 5, 0]) }, attrs: { timeAxis: 2, batchAxis: 1 } },
  ],
  RMSNormalization: [{ inputs: { x, scale: float(3, 1, 7) }, attrs: { axis: 1, epsilon: 1e-5 } }],
  ScatterElements: [
    {
      // Of two updates of one place the later wins.
      inputs: { x, indices: int([2, 2, 5, 7], [1]), updates: float(2, 2, 5, 7) },
      attrs: { axis: 1, reduction: 'none' },
    },
  ],
  Slice: [{ inputs: { x }, attrs: { axes: [3, 1], starts: [1, 2], ends: [6, 0], steps: [2, -1] } }],
  Softmax: [{ inputs: { x }, attrs: { axis: 1 } }],
  Split: [{ inputs: { x }, attrs: { axis: 1, sizes: [1, 2] } }],
  Tile: [{ inputs: { x }, attrs: { repeats: [1, 2, 3, 1] } }],
  TopK: [{ inputs: { x }, attrs: { axis: 3, largest: true, sorted: true, k: [4] } }],
  Transpose: [{ inputs: { x }, attrs: { perm: [1, 0, 3, 2] } }],
};

type Targeted = readonly [name: OpName, target: Layout, side: LayoutChange['results'], given: Case];

/** Cases that move to one layout only, and whether the results are permuted then. */
const toOne: readonly Targeted[] = [
  ...(
    [
      ['channelsLast', 1, 'kept'],
      ['channelsFirst', 3, 'kept'],
      ['channelsLast', 2, 'moved'],
      ['channelsFirst', 1, 'moved'],
    ] as const
  ).flatMap(([target, axis, results]): Targeted[] => [
    // Without the channels an image keeps its order; without a spatial dimension it has a layout.
    [
      'ArgMax',
      target,
      results,
      { inputs: { x }, attrs: { axis, keepdims: false, selectLastIndex: false } },
    ],
    ['ReduceMax', target, results, { inputs: { x }, attrs: { axes: [axis], keepdims: false } }],
    ['Gather', target, results, { inputs: { x, indices: int([], [1]) }, attrs: { axis } }],
    [
      'Squeeze',
      target,
      results,
      { inputs: { x: float(...[2, 3, 5, 7].with(axis, 1)) }, attrs: { axes: [axis] } },
    ],
    ['Unsqueeze', target, 'moved', { inputs: { x: float(2, 3, 5) }, attrs: { axes: [axis] } }],
    [
      'OneHot',
      target,
      'moved',
      {
        inputs: { indices: int([2, 3, 5], [0, 3, 1]), values: float(2) },
        attrs: { axis, depth: [4] },
      },
    ],
  ]),
  [
    'Gather',
    'channelsLast',
    'moved',
    { inputs: { x: float(2, 3, 5), indices: int([4, 7], [1, 4, 0]) }, attrs: { axis: 2 } },
  ],
  ['Reshape', 'channelsLast', 'moved', { inputs: { x }, attrs: { shape: [2, 3, 35] } }],
  [
    'Reshape',
    'channelsLast',
    'moved',
    { inputs: { x: float(2, 3, 35) }, attrs: { shape: [2, 3, -1, 7] } },
  ],
  ['Reshape', 'channelsFirst', 'moved', { inputs: { x }, attrs: { shape: [2, 15, 7] } }],
  ['BatchNormalization', 'channelsLast', 'moved', normalised(1)],
  ['BatchNormalization', 'channelsFirst', 'moved', normalised(3)],
  [
    'LRN',
    'channelsLast',
    'moved',
    { inputs: { x }, attrs: { size: 2, alpha: 0.5, beta: 0.75, bias: 1, axis: 1 } },
  ],
  [
    'LRN',
    'channelsFirst',
    'moved',
    { inputs: { x }, attrs: { size: 2, alpha: 0.5, beta: 0.75, bias: 1, axis: 3 } },
  ],
  ['Resize', 'channelsLast', 'moved', resized([3, 2], [4, 9])],
  ['Resize', 'channelsFirst', 'moved', resized([1, 2], [4, 9])],
];

function normalised(axis: number): Case {
  const channels = x.shape[axis]!;
  const vectors = { scale: float(channels), bias: float(channels), mean: float(channels) };
  const variance = tensor('float64', [channels], new Array<number>(channels).fill(2));
  return { inputs: { x, ...vectors, variance }, attrs: { axis, epsilon: 1e-3 } };
}

function resized(axes: readonly number[], sizes: readonly number[]): Case {
  return {
    inputs: { x },
    attrs: {
      ...{ axes, sizes, mode: 'linear', coordinates: 'halfPixel', nearest: 'floor' },
      ...{ cubicCoefficient: -0.75, excludeOutside: false, antialias: false, scales: null },
    },
  };
}

/** Cases of operators that move, whose tensors must keep their order. */
const staying: readonly (readonly [OpName, Layout, Case])[] = targets.flatMap(
  (target): (readonly [OpName, Layout, Case])[] => [
    // What is left would be in the order of neither layout.
    ['ReduceMean', target, { inputs: { x }, attrs: { axes: [0], keepdims: false } }],
    [
      'ArgMax',
      target,
      { inputs: { x }, attrs: { axis: 0, keepdims: false, selectLastIndex: false } },
    ],
    ['Squeeze', target, { inputs: { x: float(1, 3, 5, 7) }, attrs: { axes: [0] } }],
    ['Unsqueeze', target, { inputs: { x: float(3, 5, 7) }, attrs: { axes: [0] } }],
    [
      'OneHot',
      target,
      {
        inputs: { indices: int([3, 5, 7], [0, 1]), values: float(2) },
        attrs: { axis: 0, depth: [4] },
      },
    ],
    ['Gather', target, { inputs: { x, indices: int([2, 4], [1, 0]) }, attrs: { axis: 0 } }],
    // Rows of elements would be torn apart.
    ['Reshape', target, { inputs: { x }, attrs: { shape: [2, 105] } }],
    ['Reshape', target, { inputs: { x }, attrs: { shape: [6, 5, 7] } }],
    ['Reshape', target, { inputs: { x }, attrs: { shape: [2, 7, 5, 3] } }],
    // The dimensions would not be the last ones.
    ['LayerNormalization', target, { inputs: { x }, attrs: { axis: 2, epsilon: 1e-5 } }],
    // Neither the channels nor the spatial dimensions of an image.
    [
      'LRN',
      target,
      { inputs: { x }, attrs: { size: 2, alpha: 0.5, beta: 0.75, bias: 1, axis: 2 } },
    ],
    ['Resize', target, resized([1, 3], [4, 9])],
    ['Einsum', target, { inputs: { inputs: [x] }, attrs: { equation: '...w->...' } }],
  ],
);

/** Cases for the operators of one kind. */
function casesOfKind(op: Op): readonly Case[] {
  if (op.layout === elementwise) return [imagesOf(op)];
  if (op.layout === spatial) return op.examples.map(inOtherLayout);
  if (op.layout.needs.join() !== 'axes,keepdims') return [];
  return [
    { inputs: { x }, attrs: { axes: [2, 3], keepdims: true } },
    { inputs: { x: float(2, 5, 7) }, attrs: { axes: [1], keepdims: false } },
  ];
}

/** The cases of an operator for both layouts. */
const casesOf = (name: OpName, op: Op): readonly Case[] => [
  ...op.examples,
  ...casesOfKind(op),
  ...(moving[name] ?? []),
];

/** Whether a case has images that move. */
function movesImages(op: Op, given: Case, target: Layout): boolean {
  const { side } = changeOf(op, given, target);
  return side !== 'kept' && flat(op, given.inputs).some((each) => (each?.shape.length ?? 0) >= 3);
}

/** Moves a case as its operator says, and expects no transpose but those that must be. */
async function expectMove(name: OpName, given: Case, target: Layout): Promise<LayoutChange> {
  const op = ops[name] as unknown as Op;
  const change = changeOf(op, given, target);
  const left = await move(op, given, target, change);
  const operands = flat(op, given.inputs);
  const added = change.raised.filter((place) => {
    const { shape } = operands[place]!;
    const rank = Math.max(...operands.map((each) => each?.shape.length ?? 0));
    const raised = [...new Array<number>(rank - shape.length).fill(1), ...shape];
    const isConstant = given.constants?.includes(Object.keys(op.inputs)[place]!);
    return !isConstant && !movesNothing(raised, permutationTo(target, rank));
  });
  if (name !== 'Transpose') expect(left).toBe(added.length);
  return change;
}

describe.each(targets)('to %s', (target) => {
  const plain = table.filter(([, op]) => !op.regions && op !== (ops.Foreign as unknown as Op));
  test.each(plain)('%s moves as it says, and means the same', async (name, op) => {
    for (const given of casesOf(name, op)) await expectMove(name, given, target);
    for (const given of moving[name] ?? [])
      expect(changeOf(op, given, target).side).not.toBe('kept');
  });

  test.each(toOne.filter(([, to]) => to === target))(
    '%s moves to %s, its results %s',
    async (name, _, results, given) => {
      const change = await expectMove(name, given, target);
      expect([change.side === 'kept', change.results]).toEqual([false, results]);
    },
  );

  test.each(staying.filter(([, to]) => to === target))('%s stays', (name, _, given) => {
    expect(changeOf(ops[name] as unknown as Op, given, target).side).toBe('kept');
  });

  test('every operator that has a rule has a case that moves', () => {
    const able = table.filter(([, op]) => !op.layout.says.startsWith(fixed('').says));
    const missing = able.flatMap(([name, op]) => {
      const one = toOne.flatMap(([each, to, , given]) =>
        each === name && to === target ? [given] : [],
      );
      const hasCase = [...casesOf(name, op), ...one].some((given) =>
        movesImages(op, given, target),
      );
      return hasCase ? [] : [name];
    });
    expect(missing).toEqual([]);
  });
});
