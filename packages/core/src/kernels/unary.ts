import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import type { Op, Operand } from '../ops/define-op.js';
import { defineOp, one, type Example } from '../ops/define-op.js';
import { floatTypes, type DType } from '../tensor/dtype.js';
import type { Interval } from '../tensor/interval.js';
import { tensor, toNumbers, type Tensor } from '../tensor/tensor.js';
import { wrapInteger } from './wrap-integer.js';

/** What distinguishes one elementwise function of one operand from another. */
export interface UnaryFunction {
  readonly name: string;
  readonly summary: string;
  readonly f: (x: number) => number;
  /** Error of a correct float implementation, in units in the last place. */
  readonly ulp: number;
  /** Pairs of an argument and the value there. */
  readonly examples: readonly (readonly [number, number])[];
  /** Bounds of the function from bounds of its argument. */
  readonly range?: (x: Interval) => Interval;
  /** The function in terms of simpler operators, for a composite. */
  readonly decompose?: (x: Value, graph: Graph) => Value;
}

type Unary = Op<
  { readonly x: Operand<'one'> },
  { readonly y: Operand<'one'> },
  Readonly<Record<never, never>>
>;

/** An operator that applies a real function to each element of a float tensor. */
export function unary({ name, summary, f, range, ulp, examples, decompose }: UnaryFunction): Unary {
  return defineOp({
    name,
    summary,
    inputs: { x: one(...floatTypes) },
    outputs: { y: one(...floatTypes) },
    attrs: {},
    constraints: {},
    infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
    ...(range && {
      range: ({ x }: { readonly x: Interval | undefined }) => ({ y: x && range(x) }),
    }),
    evaluate: ({ x }) => ({ y: mapFloat(x, f) }),
    ulp: () => ulp,
    examples: [unaryExample(examples)],
    ...(decompose && {
      decompose: ({ x }: { x: Value }, _: object, graph: Graph) => ({ y: decompose(x, graph) }),
    }),
  });
}

/**
 * An example of an elementwise function, in float64, from pairs of an argument and the value there.
 */
export function unaryExample(
  pairs: readonly (readonly [number, number])[],
  attrs: Example['attrs'] = {},
): Example {
  return {
    inputs: {
      x: tensor(
        'float64',
        [pairs.length],
        pairs.map(([x]) => x),
      ),
    },
    attrs,
    outputs: {
      y: tensor(
        'float64',
        [pairs.length],
        pairs.map(([, y]) => y),
      ),
    },
  };
}

/** The tensor of `f` of each element of a float tensor. */
export function mapFloat(x: Tensor, f: (x: number) => number): Tensor {
  return { dtype: x.dtype, shape: x.shape, data: toNumbers(x).map(f) };
}

/** The tensor of `f` of each element, or `g` of each 64-bit integer. Integers wrap. */
export function mapNumber(x: Tensor, f: (x: number) => number, g: (x: bigint) => bigint): Tensor {
  if (x.data instanceof BigInt64Array || x.data instanceof BigUint64Array)
    return { ...x, data: x.data.map(g) };
  return wrapInteger({ ...x, data: (x.data as Float64Array).map(f) });
}

/** The bool tensor of a predicate of each element of a float tensor. */
export function testFloat(x: Tensor, predicate: (x: number) => boolean): Tensor {
  return {
    dtype: 'bool',
    shape: x.shape,
    data: Uint8Array.from(toNumbers(x), (value) => (predicate(value) ? 1 : 0)),
  };
}

/** A scalar constant of a type, for decompositions. */
export function scalar(graph: Graph, dtype: DType, value: number): Value {
  return graph.literal(dtype, [], [value]);
}
