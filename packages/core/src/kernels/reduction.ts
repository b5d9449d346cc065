import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { bool, ints, type Attr } from '../ops/attr.js';
import {
  defineOp,
  one,
  type Example,
  type Op,
  type Operand,
  type ValueType,
} from '../ops/define-op.js';
import type { Dim } from '../tensor/dim.js';
import { bitsOf, isFloat, isInt, type DType } from '../tensor/dtype.js';
import { countInterval, type Interval } from '../tensor/interval.js';
import { allocate, sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import { areAxes } from './axes.js';
import { groupsOf, reducedElements, reducedShape, type Groups } from './groups.js';

/**
 * What a reduction is asked for: the dimensions that it takes together, and whether they stay with
 * size 1.
 */
export interface ReductionAttrs {
  readonly axes: readonly number[];
  readonly keepdims: boolean;
}

/** What distinguishes one reduction from another. */
export interface ReductionFunction {
  readonly name: string;
  readonly summary: string;
  readonly dtypes: readonly DType[];
  /** The result for the elements `first + member` of a float tensor. */
  readonly f: (x: Float64Array, first: number, members: Int32Array) => number;
  /** The same for integers, exactly; `lowest` and `highest` are the bounds of the element type. */
  readonly g?: (group: readonly bigint[], lowest: bigint, highest: bigint) => bigint;
  /** The result where elements are known. */
  readonly known?: (group: readonly Dim[]) => Dim | undefined;
  /** Bounds of the results for groups of `count` integers between bounds, without wrapping. */
  readonly range?: (x: Interval, count: Interval) => Interval | undefined;
  /**
   * Error of a correct float implementation for groups of `size` elements, in units in the last
   * place.
   */
  readonly ulp: (size: number) => number;
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
  ulp,
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
    ulp: ({ x }, { axes }) => ulp(sizeOf(axes.map((axis) => x[axis]!))),
    examples,
    ...(decompose && {
      decompose: ({ x }: { readonly x: Value }, attrs: ReductionAttrs, graph: Graph) => ({
        y: decompose(x, attrs, graph),
      }),
    }),
  });
}

function reduceNumbers(
  x: Tensor,
  { firsts, members }: Groups,
  f: ReductionFunction['f'],
): Tensor['data'] {
  const from = toNumbers(x);
  const data = x.dtype === 'bool' ? new Uint8Array(firsts.length) : new Float64Array(firsts.length);
  for (let i = 0; i < firsts.length; i++) data[i] = f(from, firsts[i]!, members);
  return data;
}

function reduceIntegers(
  x: Tensor,
  { firsts, members }: Groups,
  g: NonNullable<ReductionFunction['g']>,
): Tensor['data'] {
  const width = bitsOf(x.dtype);
  const isSigned = x.dtype.startsWith('int');
  const [lowest, highest] = isSigned
    ? [-(1n << BigInt(width - 1)), (1n << BigInt(width - 1)) - 1n]
    : [0n, (1n << BigInt(width)) - 1n];
  const data = allocate(x.dtype, firsts.length);
  const group = new Array<bigint>(members.length);
  for (let i = 0; i < firsts.length; i++) {
    for (let k = 0; k < members.length; k++) group[k] = BigInt(x.data[firsts[i]! + members[k]!]!);
    const value = g(group, lowest, highest);
    const wrapped = isSigned ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
    if (data instanceof Float64Array) data[i] = Number(wrapped);
    else (data as BigInt64Array)[i] = wrapped;
  }
  return data;
}
