import { ops, type Dim, type Value } from '@drover/core';
import { Compose, shapeOf } from '../vocabulary/compose.js';
import { always, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { kernelOf, windowOf } from '../vocabulary/window.js';

/**
 * Codes less their zero point, as int32. A zero point with one element for each row, column or
 * filter lies along `axis`.
 */
function centred(
  compose: Compose,
  codes: Value,
  zeroPoint: Value | undefined,
  axis: number,
  step: string,
): Value {
  const wide = compose.cast(codes, 'int32', `${step}/wide`);
  if (!zeroPoint || zeroPoint.constant?.peek()?.data.length === 0) return wide;
  return compose.binary(
    ops.Sub,
    wide,
    alongAxis(compose, compose.cast(zeroPoint, 'int32', `${step}/zero_point`), axis, codes, step),
    `${step}/centred`,
  );
}

/**
 * A vector lined up with one dimension of another value; scalars and vectors of one element as
 * scalars.
 */
function alongAxis(compose: Compose, vector: Value, axis: number, of: Value, step: string): Value {
  if (vector.rank === 0) return vector;
  if (vector.rank === 1 && vector.shape![0] === 1)
    return compose.reshape(vector, [], `${step}/scalar`);
  if (vector.rank !== 1) return vector;
  const after = shapeOf(compose.node, of).length - 1 - axis;
  return after === 0
    ? vector
    : compose.unsqueeze(
        vector,
        Array.from({ length: after }, (_, i) => i + 1),
        `${step}/aligned`,
      );
}

/** Product of int32 matrices; the zero point of the left is per row, of the right per column. */
function integerProduct(
  node: SourceNode,
  [a, aZero, b, bZero]: readonly [Value, Value | undefined, Value, Value | undefined],
  step?: string,
): Value {
  const compose = new Compose(node);
  const left = centred(compose, a, aZero, shapeOf(node, a).length - 2, 'a');
  const right = centred(compose, b, bZero, shapeOf(node, b).length - 1, 'b');
  return compose.binary(ops.MatMul, left, right, step);
}

/** Integers up to this are exact in float32. */
const maxExact = 2 ** 24;

/**
 * Convolution of 8-bit codes, exact in float32: the codes less their zero points are within 255,
 * and where a sum of their products could leave the range in which float32 counts every integer,
 * the left ones are taken as 16 h + l.
 */
function integerConvolution(
  node: SourceNode,
  [x, xZero, w, wZero]: readonly [Value, Value | undefined, Value, Value | undefined],
  step?: string,
): Value {
  const compose = new Compose(node);
  const filter = shapeOf(node, w).slice(1);
  if (!filter.every((size) => typeof size === 'number'))
    throw node.unsupported('the size of its filters is not known');
  const terms = filter.reduce((a, b) => a * b, 1);
  const attrs = { ...windowOf(node, x, kernelOf(node, w)), groups: node.int('group', 1) };
  const weights = compose.cast(centred(compose, w, wZero, 0, 'w'), 'float32', 'w/float');
  const convolved = (of: Value, name: string) =>
    compose.cast(
      node.graph.add(ops.Conv, { x: of, w: weights }, attrs, node.step(name)).y,
      'int32',
      name === 'product' ? step : `${name}/int`,
    );
  const codes = compose.cast(centred(compose, x, xZero, 1, 'x'), 'float32', 'x/float');
  if (255 * 255 * terms <= maxExact) return convolved(codes, 'product');
  if (16 * 255 * terms > maxExact)
    throw node.unsupported(`sums of ${terms} products of its codes are not exact in float32`);
  const high = compose.unary(ops.Floor, compose.scale(codes, 1 / 16, 'sixteenth'), 'high');
  const low = compose.binary(ops.Sub, codes, compose.scale(high, 16, 'high_part'), 'low');
  const upper = compose.scale(convolved(high, 'high_product'), 16, 'high_sum');
  return compose.binary(ops.Add, upper, convolved(low, 'low_product'), step);
}

const readDynamicQuantize: ToCore = (node) => {
  const x = node.input(0);
  const compose = new Compose(node);
  const zero = compose.scalar(x.dtype, 0);
  const axes = shapeOf(node, x).map((_, i) => i);
  const extreme = (op: typeof ops.ReduceMin, of: typeof ops.Min, step: string) =>
    compose.binary(
      of,
      node.graph.add(op, { x }, { axes, keepdims: false }, node.step(step)).y,
      zero,
      `${step}_or_zero`,
    );
  const [low, high] = [
    extreme(ops.ReduceMin, ops.Min, 'min'),
    extreme(ops.ReduceMax, ops.Max, 'max'),
  ];
  const scale = compose.binary(
    ops.Div,
    compose.binary(ops.Sub, high, low, 'range'),
    compose.scalar(x.dtype, 255),
    'scale',
  );
  const shift = compose.binary(
    ops.Sub,
    zero,
    compose.binary(ops.Div, low, scale, 'scaled_min'),
    'shift',
  );
  const clipped = node.graph.add(ops.Clip, { x: shift }, { min: 0, max: 255 }, node.step('clip')).y;
  const zeroPoint = compose.cast(compose.unary(ops.Round, clipped, 'round'), 'uint8', 'zero_point');
  const { y } = node.graph.add(
    ops.QuantizeLinear,
    { x, scale, zeroPoint },
    { axis: null, blockSize: 0, saturate: true, to: 'uint8' },
    node.options,
  );
  return [y, scale, zeroPoint];
};

/** Codes of a sum of products, given as int32 with the scale `left * right`. */
function requantized(
  node: SourceNode,
  sums: Value,
  [left, right]: readonly [Value, Value],
  axis: number,
  [scale, zeroPoint]: readonly [Value, Value],
): Value {
  const compose = new Compose(node);
  const factor = compose.binary(
    ops.Mul,
    alongAxis(compose, left, axis, sums, 'left'),
    alongAxis(compose, right, axis, sums, 'right'),
    'factor',
  );
  const real = compose.binary(ops.Mul, compose.cast(sums, scale.dtype, 'float'), factor, 'real');
  const attrs = { axis: null, blockSize: 0, saturate: true, to: zeroPoint.dtype };
  return node.graph.add(
    ops.QuantizeLinear,
    {
      x: real,
      scale: single(compose, scale, 'scale'),
      zeroPoint: single(compose, zeroPoint, 'zero'),
    },
    attrs,
    node.options,
  ).y;
}

const single = (compose: Compose, value: Value, step: string): Value =>
  value.rank === 1 && value.shape![0] === 1 ? compose.reshape(value, [], step) : value;

const readQLinearMatMul: ToCore = (node) => {
  const [a, aScale, aZero, b, bScale, bZero, scale, zero] = Array.from({ length: 8 }, (_, i) =>
    node.input(i),
  ) as [Value, Value, Value, Value, Value, Value, Value, Value];
  if ([aScale, aZero].some((each) => (each.rank ?? 0) > 0 && each.shape![0] !== 1))
    throw node.unsupported('each row of its left operand has its own scale');
  const sums = integerProduct(node, [a, aZero, b, bZero], 'product');
  return requantized(node, sums, [aScale, bScale], shapeOf(node, sums).length - 1, [scale, zero]);
};

const readQLinearConv: ToCore = (node) => {
  const [x, xScale, xZero, w, wScale, wZero, scale, zero] = Array.from({ length: 8 }, (_, i) =>
    node.input(i),
  ) as [Value, Value, Value, Value, Value, Value, Value, Value];
  const compose = new Compose(node);
  let sums = integerConvolution(node, [x, xZero, w, wZero], 'sums');
  const bias = node.optional(8);
  if (bias)
    sums = compose.binary(ops.Add, sums, alongAxis(compose, bias, 1, sums, 'bias'), 'biased');
  return requantized(node, sums, [xScale, wScale], 1, [scale, zero]);
};

/** Real values of codes with one scale. */
function real(node: SourceNode, index: number, step: string): Value {
  const [x, scale, zeroPoint] = [
    node.input(index),
    node.input(index + 1),
    node.optional(index + 2),
  ];
  return node.graph.add(
    ops.DequantizeLinear,
    { x, scale, zeroPoint },
    { axis: null, blockSize: 0 },
    node.step(step),
  ).y;
}

function codesOf(node: SourceNode, x: Value, index: number): Value {
  const [scale, zeroPoint] = [node.input(index), node.optional(index + 1)];
  return node.graph.add(
    ops.QuantizeLinear,
    { x, scale, zeroPoint },
    { axis: null, blockSize: 0, saturate: true, to: zeroPoint?.dtype ?? 'uint8' },
    node.options,
  ).y;
}

/** onnxruntime's elementwise operators on codes: real values in between, as its kernels compute. */
const quantizedBinary =
  (op: typeof ops.Add): ToCore =>
  (node) =>
    codesOf(node, new Compose(node).binary(op, real(node, 0, 'a'), real(node, 3, 'b'), 'real'), 6);

const quantizedUnary =
  (make: (node: SourceNode, x: Value) => Value): ToCore =>
  (node) =>
    codesOf(node, make(node, real(node, 0, 'x')), 3);

const readQLinearConcat: ToCore = (node) => {
  const count = Math.floor((node.inputCount - 2) / 3);
  const parts = Array.from({ length: count }, (_, i) => real(node, 2 + 3 * i, `part${i}`));
  const axis = node.int('axis');
  const rank = parts[0]?.rank;
  if (axis < 0 && rank === undefined)
    throw node.unsupported('the rank of its operand is not known');
  return codesOf(node, new Compose(node).concat(parts, axis < 0 ? axis + rank! : axis, 'real'), 0);
};

const readQLinearGlobalAveragePool: ToCore = (node) => {
  if (node.int('channels_last', 0) !== 0) throw node.unsupported('its channels are last');
  const x = real(node, 0, 'x');
  const axes = shapeOf(node, x)
    .map((_: Dim, i) => i)
    .slice(2);
  return codesOf(node, new Compose(node).mean(x, axes, 'real'), 3);
};

/**
 * onnxruntime's product of codes that ends in real values: (a - za)(b - zb) scaled, plus a bias.
 */
const readMatMulIntegerToFloat: ToCore = (node) => {
  const compose = new Compose(node);
  const [a, b, aScale, bScale] = [node.input(0), node.input(1), node.input(2), node.input(3)];
  const sums = integerProduct(node, [a, node.optional(4), b, node.optional(5)], 'sums');
  const factor = compose.binary(
    ops.Mul,
    single(compose, aScale, 'a_scale'),
    single(compose, bScale, 'b_scale'),
    'factor',
  );
  const bias = node.optional(6);
  const scaled = compose.binary(
    ops.Mul,
    compose.cast(sums, aScale.dtype, 'float'),
    factor,
    bias ? 'scaled' : undefined,
  );
  return bias ? compose.binary(ops.Add, scaled, bias) : scaled;
};

/** Operators on quantised integers, in simpler ones. */
export const integer = {
  toCore: {
    ConvInteger: always((node) =>
      integerConvolution(node, [node.input(0), node.optional(2), node.input(1), node.optional(3)]),
    ),
    DynamicQuantizeLinear: always(readDynamicQuantize),
    MatMulInteger: always((node) =>
      integerProduct(node, [node.input(0), node.optional(2), node.input(1), node.optional(3)]),
    ),
    QLinearConv: always(readQLinearConv),
    QLinearMatMul: always(readQLinearMatMul),
    'com.microsoft.MatMulIntegerToFloat': always(readMatMulIntegerToFloat),
    'com.microsoft.QLinearAdd': always(quantizedBinary(ops.Add)),
    'com.microsoft.QLinearConcat': always(readQLinearConcat),
    'com.microsoft.QLinearGlobalAveragePool': always(readQLinearGlobalAveragePool),
    'com.microsoft.QLinearLeakyRelu': always(
      quantizedUnary(
        (node, x) =>
          node.graph.add(
            ops.LeakyRelu,
            { x },
            { alpha: node.float('alpha', 0.01) },
            node.step('real'),
          ).y,
      ),
    ),
    'com.microsoft.QLinearMul': always(quantizedBinary(ops.Mul)),
    'com.microsoft.QLinearSigmoid': always(
      quantizedUnary((node, x) => new Compose(node).unary(ops.Sigmoid, x, 'real')),
    ),
  } satisfies ReadRules,
};
