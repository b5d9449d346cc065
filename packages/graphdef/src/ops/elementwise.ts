import { isFloat, ops, toNumbers } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { binary, plain, unary } from '../vocabulary/one-to-one.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';

const readClipByValue: ToCore = (node) => {
  const [x, low, high] = [node.input(0), node.input(1), node.input(2)];
  const bounds = [low, high]
    .map(({ constant }) =>
      constant?.shape.every((dim) => dim === 1) ? constant.peek() : undefined,
    )
    .map((each) => each && toNumbers(each)[0]!);
  if (bounds[0] !== undefined && bounds[1] !== undefined)
    return node.graph.add(ops.Clip, { x }, { min: bounds[0], max: bounds[1] }, node.options).y;
  const raised = node.graph.add(ops.Max, { a: x, b: low }, {}, node.step('low')).y;
  return node.graph.add(ops.Min, { a: raised, b: high }, {}, node.options).y;
};

const toCore = {
  Abs: unary(ops.Abs),
  Acos: unary(ops.Acos),
  Acosh: unary(ops.Acosh),
  Asin: unary(ops.Asin),
  Asinh: unary(ops.Asinh),
  Atan: unary(ops.Atan),
  Atan2: binary(ops.Atan2),
  Atanh: unary(ops.Atanh),
  Ceil: unary(ops.Ceil),
  ClipByValue: readClipByValue,
  Cos: unary(ops.Cos),
  Cosh: unary(ops.Cosh),
  Erf: unary(ops.Erf),
  Exp: unary(ops.Exp),
  Expm1: unary(ops.Expm1),
  Floor: unary(ops.Floor),
  Inv: unary(ops.Reciprocal),
  Log: unary(ops.Log),
  Log1p: unary(ops.Log1p),
  Neg: unary(ops.Neg),
  Reciprocal: unary(ops.Reciprocal),
  Relu6: (node) =>
    node.graph.add(ops.Clip, { x: node.input(0) }, { min: 0, max: 6 }, node.options).y,
  Rint: unary(ops.Round),
  Round: unary(ops.Round),
  Rsqrt: (node) =>
    node.graph.add(
      ops.Reciprocal,
      { x: node.graph.add(ops.Sqrt, { x: node.input(0) }, {}, node.step('sqrt')).y },
      {},
      node.options,
    ).y,
  Sign: unary(ops.Sign),
  Sin: unary(ops.Sin),
  Sinh: unary(ops.Sinh),
  Sqrt: unary(ops.Sqrt),
  Tan: unary(ops.Tan),
} satisfies ReadRules;

const fromCore = {
  Abs: plain('Abs'),
  Acos: plain('Acos'),
  Acosh: plain('Acosh'),
  Asin: plain('Asin'),
  Asinh: plain('Asinh'),
  Atan: plain('Atan'),
  Atan2: plain('Atan2'),
  Atanh: plain('Atanh'),
  Ceil: plain('Ceil'),
  Clip: (node, writer) => {
    const { x } = node.operands;
    const { min, max } = node.attrs;
    if (min === 0 && max === 6 && isFloat(x.dtype))
      return writer.node('Relu6', [x], {}, node.outputs);
    if (min === null && max === null) return writer.set(node.outputs[0]!, writer.ref(x));
    if (max === null) return writer.node('Maximum', [x, writer.scalar(x, min!)], {}, node.outputs);
    // Bounds of ClipByValue must be in order in TF.js; core lets the upper one win.
    const raised = min === null ? x : writer.step('Maximum', [x, writer.scalar(x, min)]);
    return writer.node('Minimum', [raised, writer.scalar(x, max)], {}, node.outputs);
  },
  Cos: plain('Cos'),
  Cosh: plain('Cosh'),
  Erf: plain('Erf'),
  Exp: plain('Exp'),
  Expm1: plain('Expm1'),
  Floor: plain('Floor'),
  Log: plain('Log'),
  Log1p: plain('Log1p'),
  Neg: plain('Neg'),
  Reciprocal: plain('Reciprocal'),
  Round: plain('Round'),
  Sign: plain('Sign'),
  Sin: plain('Sin'),
  Sinh: plain('Sinh'),
  Sqrt: plain('Sqrt'),
  Tan: plain('Tan'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Functions of each element, both directions. */
export const elementwise = { toCore, fromCore };
