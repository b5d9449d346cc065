import { symbol } from '../tensor/dim.js';
import type { ValueType } from '../tensor/value-type.js';
import type { Op } from './define-op.js';
import { ops } from './ops.js';

const int64 = (...shape: number[]): ValueType => ({ dtype: 'int64', shape });
const float32 = (...shape: number[]): ValueType => ({ dtype: 'float32', shape });
const maxInt32 = 2n ** 31n - 1n;

/** What an operator's rule says, the results in order. */
function ruled(op: unknown, ranges: object, attrs: object = {}, types: object = {}): unknown[] {
  return Object.values((op as Op).range!(ranges as never, attrs as never, types as never));
}

const two = { a: int64(4), b: int64(4) };
const x5 = { x: int64(5) };

// Each line is reckoned by hand.
test.each<readonly [string, unknown, object, object, object, unknown]>([
  ['sum', ops.Add, { a: [1n, 4n], b: [-3n, 5n] }, {}, two, [-2n, 9n]],
  ['difference', ops.Sub, { a: [1n, 4n], b: [-3n, 5n] }, {}, two, [-4n, 7n]],
  ['product', ops.Mul, { a: [-2n, 3n], b: [-5n, 4n] }, {}, two, [-15n, 12n]],
  ['quotient of either sign', ops.Div, { a: [-7n, 20n], b: [-2n, 3n] }, {}, two, [-20n, 20n]],
  ['quotient, truncated', ops.Div, { a: [-7n, 7n], b: [2n, 3n] }, {}, two, [-3n, 3n]],
  ['quotient of floats', ops.Div, { a: [-7n, 8n], b: [2n, 3n] }, {}, { a: float32(4) }, [-4n, 5n]],
  [
    'quotient of floats by what may be small',
    ops.Div,
    { a: [-7n, 8n], b: [0n, 3n] },
    {},
    { a: float32(4) },
    undefined,
  ],
  ['quotient by zero alone', ops.Div, { a: [1n, 2n], b: [0n, 0n] }, {}, two, undefined],
  [
    'floored remainder',
    ops.Mod,
    { a: [-9n, 20n], b: [2n, 5n] },
    { sign: 'divisor' },
    two,
    [0n, 4n],
  ],
  [
    'floored remainder by what is negative',
    ops.Mod,
    { a: [-9n, 20n], b: [-5n, -2n] },
    { sign: 'divisor' },
    two,
    [-4n, 0n],
  ],
  [
    'remainder of what is less',
    ops.Mod,
    { a: [1n, 3n], b: [4n, 9n] },
    { sign: 'divisor' },
    two,
    [1n, 3n],
  ],
  [
    'truncated remainder',
    ops.Mod,
    { a: [-2n, 20n], b: [-5n, 5n] },
    { sign: 'dividend' },
    two,
    [-2n, 4n],
  ],
  ['even power', ops.Pow, { a: [-3n, 2n], b: [2n, 2n] }, {}, two, [0n, 9n]],
  ['powers', ops.Pow, { a: [-3n, 2n], b: [0n, 3n] }, {}, two, [-27n, 27n]],
  ['power of what is not negative', ops.Pow, { a: [0n, 2n], b: [0n, 3n] }, {}, two, [0n, 8n]],
  ['negative power', ops.Pow, { a: [1n, 2n], b: [-1n, 3n] }, {}, two, undefined],
  ['smaller', ops.Min, { a: [1n, 9n], b: [3n, 5n] }, {}, two, [1n, 5n]],
  ['larger', ops.Max, { a: [1n, 9n], b: [3n, 5n] }, {}, two, [3n, 9n]],
  ['negation', ops.Neg, { x: [-128n, 3n] }, {}, x5, [-3n, 128n]],
  ['magnitude', ops.Abs, { x: [-7n, 3n] }, {}, x5, [0n, 7n]],
  ['magnitude below zero', ops.Abs, { x: [-7n, -3n] }, {}, x5, [3n, 7n]],
  ['positive part', ops.Relu, { x: [-7n, 3n] }, {}, x5, [0n, 3n]],
  ['sign', ops.Sign, { x: [0n, 3n] }, {}, x5, [0n, 1n]],
  ['sign of any float', ops.Sign, { x: undefined }, {}, { x: float32(5) }, [-1n, 1n]],
  ['bounds', ops.Clip, { x: [-100n, 100n] }, { min: -3, max: null }, x5, [-3n, 100n]],
  ['bounds in the wrong order', ops.Clip, { x: [-100n, 100n] }, { min: 5, max: 2 }, x5, [2n, 2n]],
  [
    'bounds of any float',
    ops.Clip,
    { x: undefined },
    { min: -0.5, max: 2.5 },
    { x: float32(5) },
    [-1n, 3n],
  ],
  [
    'one bound of any float',
    ops.Clip,
    { x: undefined },
    { min: 0, max: null },
    { x: float32(5) },
    undefined,
  ],
  ['truncation', ops.Cast, { x: [-3n, 5n] }, { to: 'int64' }, { x: float32(5) }, [-3n, 5n]],
  ['truth on both sides of zero', ops.Cast, { x: [-3n, 5n] }, { to: 'bool' }, x5, [0n, 1n]],
  ['truth of what is not zero', ops.Cast, { x: [-3n, -2n] }, { to: 'bool' }, x5, [1n, 1n]],
  ['whole numbers below', ops.Floor, { x: [-3n, 5n] }, {}, { x: float32(5) }, [-3n, 5n]],
  ['running sum', ops.CumSum, { x: [-1n, 3n] }, { axis: 0, exclusive: false }, x5, [-5n, 15n]],
  [
    'running sum of what is positive',
    ops.CumSum,
    { x: [2n, 3n] },
    { axis: 0, exclusive: false },
    x5,
    [2n, 15n],
  ],
  ['running sum before', ops.CumSum, { x: [2n, 3n] }, { axis: 0, exclusive: true }, x5, [0n, 15n]],
  ['total', ops.ReduceSum, { x: [-1n, 3n] }, { axes: [0, 1] }, { x: int64(2, 5) }, [-10n, 30n]],
  [
    'total of the others',
    ops.ReduceSum,
    { x: [0n, 1n] },
    { axes: [1] },
    { x: { dtype: 'int64', shape: [2, symbol('n')] } },
    [0n, maxInt32],
  ],
  ['total of floats', ops.ReduceSum, { x: [0n, 1n] }, { axes: [0] }, { x: float32(5) }, undefined],
  ['total of magnitudes', ops.ReduceL1, { x: [-2n, 1n] }, { axes: [0] }, x5, [0n, 10n]],
  ['total of squares', ops.ReduceSumSquare, { x: [-2n, 1n] }, { axes: [0] }, x5, [0n, 20n]],
  ['product of elements', ops.ReduceProd, { x: [-1n, 2n] }, { axes: [0] }, x5, [-32n, 32n]],
  ['mean', ops.ReduceMean, { x: [-1n, 2n] }, { axes: [0] }, x5, [-1n, 2n]],
  ['largest', ops.ReduceMax, { x: [-1n, 2n] }, { axes: [0] }, x5, [-1n, 2n]],
  [
    'largest of perhaps none',
    ops.ReduceMax,
    { x: [-1n, 2n] },
    { axes: [0] },
    { x: { dtype: 'int64', shape: [symbol('?n')] } },
    undefined,
  ],
  ['smallest', ops.ReduceMin, { x: [-1n, 2n] }, { axes: [0] }, x5, [-1n, 2n]],
  [
    'place of the largest',
    ops.ArgMax,
    { x: undefined },
    { axis: 1 },
    { x: float32(2, 7) },
    [0n, 6n],
  ],
  [
    'place of the smallest',
    ops.ArgMin,
    { x: undefined },
    { axis: 0 },
    { x: { dtype: 'float32', shape: undefined } },
    [0n, maxInt32 - 1n],
  ],
  ['places', ops.NonZero, { x: undefined }, {}, { x: float32(2, 7) }, [0n, 6n]],
  [
    'sizes',
    ops.Shape,
    { x: undefined },
    {},
    { x: { dtype: 'float32', shape: [3, symbol('n')] } },
    [1n, maxInt32],
  ],
  [
    'numbers upwards',
    ops.Range,
    { start: [2n, 3n], limit: [5n, 9n], delta: [1n, 2n] },
    {},
    { start: int64() },
    [2n, 8n],
  ],
  [
    'numbers downwards',
    ops.Range,
    { start: [2n, 3n], limit: [-4n, 0n], delta: [-2n, -1n] },
    {},
    { start: int64() },
    [-3n, 3n],
  ],
  [
    'numbers either way',
    ops.Range,
    { start: [0n, 0n], limit: [-4n, 4n], delta: [-1n, 1n] },
    {},
    { start: int64() },
    [-3n, 3n],
  ],
  [
    'places to the left',
    ops.BitShift,
    { a: [1n, 3n], b: [0n, 4n] },
    { direction: 'left' },
    {},
    [1n, 48n],
  ],
  [
    'places to the right',
    ops.BitShift,
    { a: [8n, 32n], b: [1n, 3n] },
    { direction: 'right' },
    {},
    [1n, 16n],
  ],
  ['bits of both', ops.BitwiseAnd, { a: [-9n, 100n], b: [0n, 7n] }, {}, two, [0n, 7n]],
  ['bits of either', ops.BitwiseOr, { a: [0n, 5n], b: [0n, 8n] }, {}, two, [0n, 15n]],
  ['bits of one', ops.BitwiseXor, { a: [-3n, 5n], b: [0n, 8n] }, {}, two, [-16n, 15n]],
  ['other bits', ops.BitwiseNot, { x: [-3n, 5n] }, {}, x5, [-6n, 2n]],
  [
    'other bits without sign',
    ops.BitwiseNot,
    { x: [0n, 5n] },
    {},
    { x: { dtype: 'uint8', shape: [5] } },
    [250n, 255n],
  ],
  [
    'product of matrices',
    ops.MatMul,
    { a: [-1n, 2n], b: [0n, 3n] },
    {},
    { a: int64(2, 4), b: int64(4, 3) },
    [-12n, 24n],
  ],
  ['vectors of one place', ops.OneHot, { indices: [0n, 9n], values: [0n, 1n] }, {}, {}, [0n, 1n]],
  ['choice', ops.Where, { condition: [0n, 1n], x: [1n, 2n], y: [7n, 9n] }, {}, {}, [1n, 9n]],
  [
    'pieces joined',
    ops.Concat,
    {
      inputs: [
        [1n, 2n],
        [-7n, 0n],
      ],
    },
    {},
    {},
    [-7n, 2n],
  ],
  [
    'pieces',
    ops.Split,
    { x: [1n, 2n] },
    { sizes: [1, 3] },
    {},
    [
      [1n, 2n],
      [1n, 2n],
    ],
  ],
  ['borders of zeros', ops.Pad, { x: [1n, 2n] }, { mode: 'constant' }, x5, [0n, 2n]],
  [
    'borders of a number',
    ops.Pad,
    { x: [1n, 2n], value: [9n, 9n] },
    { mode: 'constant' },
    { ...x5, value: int64() },
    [1n, 9n],
  ],
  ['borders mirrored', ops.Pad, { x: [1n, 2n] }, { mode: 'reflect' }, x5, [1n, 2n]],
  ['triangle', ops.Trilu, { x: [1n, 2n] }, {}, x5, [0n, 2n]],
  [
    'updates',
    ops.ScatterElements,
    { x: [1n, 2n], indices: [0n, 1n], updates: [5n, 6n] },
    { reduction: 'none', axis: 0 },
    { x: int64(9), indices: int64(3) },
    [1n, 6n],
  ],
  [
    'updates added',
    ops.ScatterElements,
    { x: [1n, 2n], indices: [0n, 1n], updates: [5n, 6n] },
    { reduction: 'add', axis: 0 },
    { x: int64(9), indices: int64(3) },
    [1n, 20n],
  ],
  [
    'blocks added',
    ops.ScatterND,
    { x: [1n, 2n], indices: [0n, 1n], updates: [-1n, 6n] },
    { reduction: 'add' },
    { x: int64(9), indices: int64(3, 1) },
    [-2n, 20n],
  ],
  [
    'updates multiplied',
    ops.ScatterND,
    { x: [1n, 2n], indices: [0n, 1n], updates: [5n, 6n] },
    { reduction: 'mul' },
    { x: int64(9), indices: int64(3, 1) },
    undefined,
  ],
])('range of %s', (_, op, ranges, attrs, types, expected) => {
  expect(ruled(op, ranges, attrs, types)).toEqual([expected]);
});

test('what only moves keeps its range, and the best elements have places', () => {
  // prettier-ignore
  const moving = ['Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Reverse', 'Slice', 'Tile', 'Expand', 'Gather', 'GatherElements', 'GatherND', 'DepthToSpace', 'SpaceToDepth', 'ReverseSequence'] as const;
  for (const name of moving)
    expect([name, ruled(ops[name], { x: [-3n, 5n] })]).toEqual([name, [[-3n, 5n]]]);
  expect(ruled(ops.TopK, { x: [-3n, 5n] }, { axis: 1 }, { x: int64(2, 8) })).toEqual([
    [-3n, 5n],
    [0n, 7n],
  ]);
});
