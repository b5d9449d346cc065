import type { AttrValue } from '../codec/attr-value.js';
import type { SymbolNode } from '../codec/symbol.js';
import { Cell, type PartialType } from './partial-type.js';

/** A node with what is known about its inputs and outputs. */
export interface Hinted {
  readonly node: SymbolNode;
  readonly inputs: readonly PartialType[];
  readonly outputs: readonly PartialType[];
  attr(name: string): AttrValue | undefined;
}

/** What a node tells about its inputs and outputs; whether it was news. */
export type Hint = (at: Hinted) => boolean;

/** Hints by canonical operator. */
export type HintTable = Readonly<Record<string, Hint>>;

/** Whether any of several things was news. */
export const some = (...news: readonly boolean[]): boolean => news.includes(true);

/** A number that an attribute states; undefined when it states none. */
export const number = (value: AttrValue | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined;

/** A list that an attribute states; empty when it states none. */
export const list = (value: AttrValue | undefined): readonly AttrValue[] =>
  Array.isArray(value) ? (value as readonly AttrValue[]) : [];

/** A size that is known, or one that is not. */
export const cell = (value: number | undefined): Cell<number> => new Cell(value);

/** Inputs and the first output have one element type. */
export const sameTypes = ({ inputs, outputs }: Hinted): boolean =>
  some(...[...inputs.slice(1), outputs[0]!].map((each) => each.dtype.join(inputs[0]!.dtype)));

/** The first output has the type and the shape of the first input. */
export const likeFirst: Hint = (at) =>
  some(at.inputs[0]!.dtype.join(at.outputs[0]!.dtype), at.inputs[0]!.join(at.outputs[0]!));

/** Inputs and the first output have one type and one shape. */
export const allAlike: Hint = (at) =>
  some(
    sameTypes(at),
    ...[...at.inputs.slice(1), at.outputs[0]!].map((each) => each.join(at.inputs[0]!)),
  );

/** The first output has the element type of the first input. */
export const likeDtype: Hint = ({ inputs, outputs }) => inputs[0]!.dtype.join(outputs[0]!.dtype);

/** Joins one dimension of two tensors whose ranks are known. */
export const dimsJoin = (
  a: PartialType | undefined,
  i: number,
  b: PartialType | undefined,
  j: number,
): boolean => {
  const [left, right] = [a?.dims?.at(i), b?.dims?.at(j)];
  return left !== undefined && right !== undefined && left.join(right);
};

/**
 * The rank changes by a number that the operator's attributes tell, undefined where they do not.
 */
export const rankChange =
  (by: (at: Hinted) => number | undefined): Hint =>
  (at) => {
    const [x, y] = [at.inputs[0]!, at.outputs[0]!];
    const change = by(at);
    if (change === undefined) return likeDtype(at);
    const back = y.dims === undefined ? 0 : y.dims.length - change;
    return some(
      likeDtype(at),
      x.dims !== undefined && y.ranked(Math.max(1, x.dims.length + change)),
      back > 0 && x.ranked(back),
    );
  };
