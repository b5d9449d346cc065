import type { Graph } from '../graph/graph.js';
import type { Region } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import type { Dim } from '../tensor/dim.js';
import type { DType } from '../tensor/dtype.js';
import type { Interval } from '../tensor/interval.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ValueType } from '../tensor/value-type.js';
import type { Attrs, AttrValues, ResolvedAttrs } from './attr.js';
import type { LayoutRule } from './layout.js';
import type { Rounding } from './rounding.js';

/**
 * How many values an operand or result takes: one, one or none, or any number (then it is the
 * last).
 */
export type Arity = 'one' | 'optional' | 'many';

/** An operand or a result: how many, and of which element types. */
export interface Operand<A extends Arity = Arity> {
  readonly arity: A;
  readonly dtypes: readonly DType[];
}

/** Operands or results by name, in order. */
export type Operands = Readonly<Record<string, Operand>>;

/** Exactly one value of one of these types. */
export const one = (...dtypes: readonly DType[]): Operand<'one'> => ({ arity: 'one', dtypes });

/** One value of one of these types, or none. */
export const optional = (...dtypes: readonly DType[]): Operand<'optional'> => ({
  arity: 'optional',
  dtypes,
});

/** Any number of values of these types. */
export const many = (...dtypes: readonly DType[]): Operand<'many'> => ({ arity: 'many', dtypes });

/** Something for each operand, by the operands' names. */
export type PerOperand<I extends Operands, T> = {
  readonly [K in keyof I]: I[K] extends Operand<infer A>
    ? A extends 'one'
      ? T
      : A extends 'optional'
        ? T | undefined
        : readonly T[]
    : never;
};

/** The same for what a caller gives: optional operands may be left out. */
export type GivenOperands<I extends Operands, T> = {
  readonly [
    K in keyof I as I[K] extends Operand<'optional'> ? never : K
  ]: I[K] extends Operand<'many'> ? readonly T[] : T;
} & { readonly [K in keyof I as I[K] extends Operand<'optional'> ? K : never]?: T | undefined };

/** What inference may ask for beside types. */
export interface InferContext {
  /**
   * A dimension that is known only when the model runs, such as the number of non-zero elements. It
   * never equals another.
   */
  fresh(hint: string): Dim;
  /** Bodies of the node, by the operator's region names. */
  readonly regions: Readonly<Record<string, Graph>>;
  /** How many values a `many` result has, where only the caller knows. */
  readonly resultCount: number | undefined;
}

/** The bodies that operators have. */
export type RegionName = 'body' | 'then' | 'else';

/** What evaluation may ask for beside elements. */
export interface EvaluateContext {
  /** Runs a body of the node on its parameters (its captures are bound by the caller). */
  run(region: RegionName, parameters: readonly Tensor[]): Promise<readonly Tensor[]>;
  /**
   * Types of a body's results; their dimensions are numbers where they do not depend on what the
   * body computes.
   */
  results(region: RegionName): readonly ValueType[];
  /** How many values a `many` result has. */
  readonly resultCount: number;
}

/** A condition on operands and attributes, numbered so that tests and messages name it. */
export interface Constraint<I extends Operands, A extends Attrs> {
  readonly says: string;
  holds(types: PerOperand<I, ValueType>, attrs: AttrValues<A>): boolean;
}

/**
 * One worked case of an operator: small enough to check by hand, or taken from the published
 * standard.
 */
export interface Example {
  readonly inputs: Readonly<Record<string, Tensor | readonly Tensor[]>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, Tensor | readonly Tensor[]>>;
}

/** An operator: all that core knows of it, in one object. A node holds the object, not its name. */
export interface Op<
  I extends Operands = Operands,
  O extends Operands = Operands,
  A extends Attrs = Attrs,
> {
  readonly name: string;
  readonly summary: string;
  readonly inputs: I;
  readonly outputs: O;
  readonly attrs: A;
  /** Names of the bodies that a node of this operator has. */
  readonly regions?: readonly RegionName[];
  readonly constraints: Readonly<Record<`C${number}`, Constraint<I, A>>>;
  /** Types of the results. Called once the constraints hold. */
  infer(
    types: PerOperand<I, ValueType>,
    attrs: AttrValues<A>,
    context: InferContext,
  ): PerOperand<O, ValueType>;
  /** The reference: float types in float64 without intermediate rounding, integers exact. */
  evaluate(
    inputs: PerOperand<I, Tensor>,
    attrs: ResolvedAttrs<A>,
    context: EvaluateContext,
  ): PerOperand<O, Tensor> | Promise<PerOperand<O, Tensor>>;
  /**
   * Bounds of the results from bounds of the operands, which every operand of integers or bool has.
   * Results are taken as exact: they do not wrap here, and the caller sees whether they could have.
   * An operator without this, or a result that is undefined, may have any value of its type. Float
   * results are given only where rounding cannot leave the bounds.
   */
  range?(
    ranges: PerOperand<I, Interval | undefined>,
    attrs: AttrValues<A>,
    types: PerOperand<I, ValueType>,
  ): PerOperand<O, Interval | undefined>;
  /**
   * Bounds that every element of an operand keeps whenever the operator succeeds: an index is
   * inside its dimension, or it is an error. `results` are the bounds that the results keep for the
   * same reason: an operator that drops no element hands them on, through its inverse and the
   * `ranges` of the operands.
   */
  demands?(
    types: PerOperand<I, ValueType>,
    attrs: AttrValues<A>,
    results: PerOperand<O, Interval | undefined>,
    ranges: PerOperand<I, Interval | undefined>,
  ): Partial<PerOperand<I, Interval | undefined>>;
  /** What becomes of a node under a change between channels first and channels last. */
  readonly layout: LayoutRule<string>;
  /** How far a correct float implementation may be from the reference for these operands. */
  rounding(shapes: PerOperand<I, readonly number[]>, attrs: ResolvedAttrs<A>): Rounding;
  /**
   * Mean squares of the sums that the elements of the first result are, were their terms
   * independent, for each or for all: a result that cancels out does not tell how large the terms
   * were that rounding goes by. For operators whose rounding is `ofTerms`; the results around tell
   * unless stated.
   */
  termSquares?(
    operands: PerOperand<I, Tensor>,
    attrs: ResolvedAttrs<A>,
    result: Tensor,
  ): Float64Array | number;
  /**
   * Whether float results jump where float operands pass a place, as a rounded number does; no
   * unless told. Results of other types always do.
   */
  jumps?(attrs: ResolvedAttrs<A>): boolean;
  readonly examples: readonly Example[];
  /**
   * A composite's meaning in simpler operators: builds them in `graph` and gives the values that
   * replace the results. Every node it adds serves a result.
   */
  decompose?(
    operands: PerOperand<I, Value>,
    attrs: AttrValues<A>,
    graph: Graph,
    regions: Readonly<Record<string, Region>>,
  ): PerOperand<O, Value>;
}

/** Declares an operator, which has the attributes that its rule of layouts needs. */
export function defineOp<const I extends Operands, const O extends Operands, const A extends Attrs>(
  op: Op<I, O, A> & { readonly layout: LayoutRule<keyof A & string> },
): Op<I, O, A> {
  return op;
}
