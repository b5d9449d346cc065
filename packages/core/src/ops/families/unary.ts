import type { Graph } from '../../graph/graph.js';
import type { Value } from '../../graph/value.js';
import { mapFloat, type UnaryLoop } from '../../numeric/map.js';
import { floatTypes } from '../../tensor/dtype.js';
import type { Interval } from '../../tensor/interval.js';
import { tensor } from '../../tensor/tensor.js';
import { defineOp, one, type Example, type Op, type Operand } from '../define-op.js';
import { elementwise } from '../layout.js';
import type { Rounding } from '../rounding.js';

/** What distinguishes one elementwise function of one operand from another. */
export interface UnaryFunction {
  readonly name: string;
  readonly summary: string;
  /** The function of each element. */
  readonly loop: UnaryLoop;
  readonly rounding: Rounding;
  /** Whether it jumps (see Op). */
  readonly jumps?: boolean;
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
export function unary({
  name,
  summary,
  loop,
  range,
  rounding,
  jumps = false,
  examples,
  decompose,
}: UnaryFunction): Unary {
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
    evaluate: ({ x }) => ({ y: mapFloat(x, loop) }),
    layout: elementwise,
    rounding: () => rounding,
    jumps: () => jumps,
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
