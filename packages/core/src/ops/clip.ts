import { mapNumber } from '../numeric/map.js';
import { maxDim, minDim } from '../tensor/dim.js';
import { intRange, numberTypes, isFloat } from '../tensor/dtype.js';
import { least, most } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { float, nullable } from './attr.js';
import { defineOp, one } from './define-op.js';
import { unaryExample } from './families/unary.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** Numbers held within bounds; max wins where min is above it. */
export const clip = defineOp({
  name: 'Clip',
  summary: 'min(max(x, min), max); a bound of null is absent.',
  inputs: { x: one(...numberTypes) },
  outputs: { y: one(...numberTypes) },
  attrs: { min: nullable(float()), max: nullable(float()) },
  constraints: {
    C1: {
      says: 'the bounds are not NaN',
      holds: (_, { min, max }) => !Number.isNaN(min) && !Number.isNaN(max),
    },
    C2: {
      says: 'the bounds of integers are integers of their type within 2^53',
      holds: ({ x }, { min, max }) => {
        const range = intRange(x.dtype);
        const isInRange = (bound: number) =>
          Number.isSafeInteger(bound) && bound >= range![0] && bound <= range![1];
        return !range || [min, max].every((bound) => bound === null || isInRange(bound));
      },
    },
  },
  infer: ({ x }, { min, max }) => {
    const raised = x.elements?.map((e) => (min === null ? e : maxDim(e, min)));
    return {
      y: {
        dtype: x.dtype,
        shape: x.shape,
        elements: raised?.map((e) => (max === null ? e : minDim(e, max))),
      },
    };
  },
  range: ({ x }, { min, max }, types) => {
    if (min === Infinity || max === -Infinity) return { y: undefined };
    // Bounds of floats lie between whole numbers: the lower of them for the least element, the
    // upper for the greatest.
    const limit = (bound: number | null, round: (bound: number) => number) =>
      bound === null || !Number.isFinite(bound) ? undefined : BigInt(round(bound));
    const held = (v: bigint, round: (bound: number) => number): bigint => {
      const raised = most(v, limit(min, round) ?? v);
      return least(raised, limit(max, round) ?? raised);
    };
    const [low, high] = [limit(min, Math.floor), limit(max, Math.ceil)];
    const given =
      x ??
      (isFloat(types.x.dtype) && low !== undefined && high !== undefined
        ? ([low, high] as const)
        : undefined);
    return { y: given && [held(given[0], Math.floor), held(given[1], Math.ceil)] };
  },
  evaluate: ({ x }, { min, max }) => {
    const [low, high] = [min ?? -Infinity, max ?? Infinity];
    const held = (v: bigint) => {
      const raised = v < low ? BigInt(low) : v;
      return raised > high ? BigInt(high) : raised;
    };
    return {
      y: mapNumber(
        x,
        (y, x) => {
          for (let i = 0; i < y.length; i++) y[i] = Math.min(Math.max(x[i]!, low), high);
        },
        held,
      ),
    };
  },
  layout: elementwise,
  rounding: exact,
  examples: [
    unaryExample(
      [
        [-1, 0],
        [3, 3],
        [7, 6],
        [NaN, NaN],
      ],
      { min: 0, max: 6 },
    ),
    unaryExample(
      [
        [0, 1],
        [5, 1],
      ],
      { min: 3, max: 1 },
    ),
    {
      inputs: { x: tensor('int64', [3], [-5, 0, 5]) },
      attrs: { min: -2, max: null },
      outputs: { y: tensor('int64', [3], [-2, 0, 5]) },
    },
  ],
});
