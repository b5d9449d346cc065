import { areAxes } from '../../constraints/axes.js';
import type { Graph } from '../../graph/graph.js';
import type { Value } from '../../graph/value.js';
import { meanSquare } from '../../numeric/mean-square.js';
import {
  reduceIntegers,
  reduceNumbers,
  type IntegerReduction,
  type NumberReduction,
} from '../../numeric/reduce.js';
import type { Dim } from '../../tensor/dim.js';
import { isFloat, isInt, type DType } from '../../tensor/dtype.js';
import { groupsOf } from '../../tensor/groups.js';
import { countInterval, type Interval } from '../../tensor/interval.js';
import { sizeOf, toNumbers, type Tensor } from '../../tensor/tensor.js';
import type { ValueType } from '../../tensor/value-type.js';
import { reducedElements, reducedShape } from '../../typing/reduced.js';
import { bool, ints, type Attr } from '../attr.js';
import { defineOp, one, type Example, type Op, type Operand } from '../define-op.js';
import { reducing } from '../layout.js';
import type { Rounding } from '../rounding.js';

/**
 * What a reduction is asked for: the dimensions that it takes together, and whether they stay with
 * size 1.
 */
interface ReductionAttrs {
  readonly axes: readonly number[];
  readonly keepdims: boolean;
}

/** What distinguishes one reduction from another. */
export interface ReductionFunction {
  readonly name: string;
  readonly summary: string;
  readonly dtypes: readonly DType[];
  readonly f: NumberReduction;
  /** The same for integers; without it they are reduced as numbers. */
  readonly g?: IntegerReduction;
  /** The result where elements are known. */
  readonly known?: (group: readonly Dim[]) => Dim | undefined;
  /** Bounds of the results for groups of `count` integers between bounds, without wrapping. */
  readonly range?: (x: Interval, count: Interval) => Interval | undefined;
  /** Of a correct float implementation, for groups of `size` elements. */
  readonly rounding: (size: number) => Rounding;
  /** Mean square of a result, from that of the elements of groups of `size` (see Op). */
  readonly termSquares?: (square: number, size: number) => number;
  readonly examples: readonly Example[];
  readonly decompose?: (x: Value, attrs: ReductionAttrs, graph: Graph) => Value;
}

type Reduction = Op<
  { readonly x: Operand<'one'> },
  { readonly y: Operand<'one'> },
  { readonly axes: Attr<readonly number[]>; readonly keepdims: Attr<boolean> }
>;

/**
 * An operator that reduces the dimensions `axes` of a tensor to one number each. No axes: every
 * element is a group of its own.
 */
export function reduction({
  name,
  summary,
  dtypes,
  f,
  g,
  known,
  range,
  rounding,
  termSquares,
  examples,
  decompose,
}: ReductionFunction): Reduction {
  return defineOp({
    name,
    summary,
    inputs: { x: one(...dtypes) },
    outputs: { y: one(...dtypes) },
    attrs: { axes: ints(), keepdims: bool() },
    constraints: {
      C1: {
        says: 'axes are different dimensions of x',
        holds: ({ x }, { axes }) => areAxes(axes, x),
      },
    },
    infer: ({ x }, { axes, keepdims }) => {
      const shape = x.shape && reducedShape(x.shape, axes, keepdims);
      return {
        y: { dtype: x.dtype, shape, elements: known && reducedElements(x, axes, shape, known) },
      };
    },
    ...(range && {
      range: (
        { x }: { readonly x: Interval | undefined },
        { axes }: ReductionAttrs,
        types: { readonly x: ValueType },
      ) => {
        const count = countInterval(axes.map((axis) => types.x.shape?.[axis]));
        return { y: x && !isFloat(types.x.dtype) ? range(x, count) : undefined };
      },
    }),
    evaluate: ({ x }, { axes, keepdims }) => {
      const groups = groupsOf(x.shape, axes);
      const data = g && isInt(x.dtype) ? reduceIntegers(x, groups, g) : reduceNumbers(x, groups, f);
      return { y: { dtype: x.dtype, shape: reducedShape(x.shape, axes, keepdims), data } };
    },
    layout: reducing('axes'),
    rounding: ({ x }, { axes }) => rounding(sizeOf(axes.map((axis) => x[axis]!))),
    ...(termSquares && {
      termSquares: ({ x }: { readonly x: Tensor }, { axes }: ReductionAttrs) =>
        termSquares(meanSquare(toNumbers(x)), sizeOf(axes.map((axis) => x.shape[axis]!))),
    }),
    examples,
    ...(decompose && {
      decompose: ({ x }: { readonly x: Value }, attrs: ReductionAttrs, graph: Graph) => ({
        y: decompose(x, attrs, graph),
      }),
    }),
  });
}
