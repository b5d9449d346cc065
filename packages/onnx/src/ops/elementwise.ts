import { isFloat, ops, toNumbers } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import {
  always,
  readUnary,
  versions,
  writePlain,
  type ReadRules,
  type ToCore,
} from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/**
 * A bound of Clip: a number, 'data' when it is no constant or none that a number holds exactly, or
 * null when there is none.
 */
function bound(node: SourceNode, index: number): number | 'data' | null {
  const value = node.optional(index);
  if (!value) return null;
  const elements = value.constant?.peek();
  const limit = elements && toNumbers(elements)[0];
  const isPlain =
    limit !== undefined &&
    (isFloat(value.dtype) ? !Number.isNaN(limit) : Number.isSafeInteger(limit));
  return isPlain ? limit : 'data';
}

const readClip: ToCore = (node) => {
  const [low, high] = [bound(node, 1), bound(node, 2)];
  let x = node.input(0);
  // Bounds that depend on data: the lower first, so that min > max gives max, as the specification
  // has it.
  if (low === 'data')
    x = node.graph.add(ops.Max, { a: x, b: node.input(1) }, {}, node.step('max')).y;
  else if (low !== null)
    x = node.graph.add(
      ops.Clip,
      { x },
      { min: low, max: high === 'data' ? null : high },
      node.options,
    ).y;
  if (high === 'data')
    return node.graph.add(ops.Min, { a: x, b: node.input(2) }, {}, node.options).y;
  return low === null || low === 'data'
    ? high === null
      ? x
      : node.graph.add(ops.Clip, { x }, { min: null, max: high }, node.options).y
    : x;
};

const toCore = {
  Abs: always(readUnary(ops.Abs)),
  Acos: always(readUnary(ops.Acos)),
  Acosh: always(readUnary(ops.Acosh)),
  Asin: always(readUnary(ops.Asin)),
  Asinh: always(readUnary(ops.Asinh)),
  Atan: always(readUnary(ops.Atan)),
  Atanh: always(readUnary(ops.Atanh)),
  Ceil: always(readUnary(ops.Ceil)),
  Clip: versions(
    [
      1,
      (node) =>
        node.graph.add(
          ops.Clip,
          { x: node.input(0) },
          {
            min: node.has('min') ? node.float('min') : null,
            max: node.has('max') ? node.float('max') : null,
          },
          node.options,
        ).y,
    ],
    [11, readClip],
  ),
  Cos: always(readUnary(ops.Cos)),
  Cosh: always(readUnary(ops.Cosh)),
  Erf: always(readUnary(ops.Erf)),
  Exp: always(readUnary(ops.Exp)),
  Floor: always(readUnary(ops.Floor)),
  Log: always(readUnary(ops.Log)),
  Neg: always(readUnary(ops.Neg)),
  Reciprocal: always(readUnary(ops.Reciprocal)),
  Round: always(readUnary(ops.Round)),
  Sign: always(readUnary(ops.Sign)),
  Sin: always(readUnary(ops.Sin)),
  Sinh: always(readUnary(ops.Sinh)),
  Sqrt: always(readUnary(ops.Sqrt)),
  Tan: always(readUnary(ops.Tan)),
} satisfies ReadRules;

const decomposed = gap('it is written in simpler operators');

const fromCore = {
  Abs: writePlain('Abs'),
  Acos: writePlain('Acos'),
  Acosh: writePlain('Acosh'),
  Asin: writePlain('Asin'),
  Asinh: writePlain('Asinh'),
  Atan: writePlain('Atan'),
  Atan2: decomposed,
  Atanh: writePlain('Atanh'),
  Ceil: writePlain('Ceil'),
  Clip: (node, writer) => {
    const { dtype } = node.operands.x;
    const limit = (value: number | null) =>
      value === null ? undefined : writer.literal(dtype, [], [value]);
    writer.node(
      'Clip',
      [node.operands.x, limit(node.attrs.min), limit(node.attrs.max)],
      {},
      node.outputs,
    );
  },
  Cos: writePlain('Cos'),
  Cosh: writePlain('Cosh'),
  Erf: writePlain('Erf'),
  Exp: writePlain('Exp'),
  Expm1: decomposed,
  Floor: writePlain('Floor'),
  Log: writePlain('Log'),
  Log1p: decomposed,
  Neg: writePlain('Neg'),
  Reciprocal: writePlain('Reciprocal'),
  Round: writePlain('Round'),
  Sign: writePlain('Sign'),
  Sin: writePlain('Sin'),
  Sinh: writePlain('Sinh'),
  Sqrt: writePlain('Sqrt'),
  Tan: writePlain('Tan'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Functions of each element, both directions. */
export const elementwise = { toCore, fromCore };
