import type { Op, Operand } from '../ops/define-op.js';
import { defineOp, one, type Example } from '../ops/define-op.js';
import { floatTypes, type DType } from '../tensor/dtype.js';
import { tensor, toNumbers } from '../tensor/tensor.js';

/** What distinguishes one elementwise function of one operand from another. */
export interface UnaryFunction {
  readonly name: string;
  readonly summary: string;
  readonly f: (x: number) => number;
  /** Error of a correct float implementation, in units in the last place. */
  readonly ulp: number;
  /** Pairs of an argument and the value there. */
  readonly examples: readonly (readonly [number, number])[];
}

type Unary = Op<{ readonly x: Operand<'one'> }, { readonly y: Operand<'one'> }, Readonly<Record<never, never>>>;

/** An operator that applies a real function to each element of a float tensor. */
export function unary({ name, summary, f, ulp, examples }: UnaryFunction): Unary {
  const example: Example = {
    inputs: { x: tensor('float64', [examples.length], examples.map(([x]) => x)) },
    attrs: {},
    outputs: { y: tensor('float64', [examples.length], examples.map(([, y]) => y)) },
  };
  return defineOp({
    name,
    summary,
    inputs: { x: one(...floatTypes) },
    outputs: { y: one(...floatTypes) },
    attrs: {},
    constraints: {},
    infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
    evaluate: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape, data: toNumbers(x).map(f) } }),
    ulp: () => ulp,
    examples: [example],
  });
}

