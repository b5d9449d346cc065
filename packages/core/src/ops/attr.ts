import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { evaluateDim, type Dim, type Shape } from '../tensor/dim.js';
import { parseDim } from '../tensor/parse-dim.js';
import { dtypes, type DType } from '../tensor/dtype.js';

/** A value of the text form: JSON, with symbolic dimensions and non-finite numbers as strings. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * A kind of attribute: `T` is its value in a graph, `R` the value that the evaluator sees once
 * named dimensions have numbers. Attributes have no defaults: every node states every attribute.
 */
export interface Attr<T, R = T> {
  /** What values are allowed, for docs and messages. */
  readonly says: string;
  accepts(value: unknown): value is T;
  print(value: T): Json;
  parse(json: Json): T;
  resolve(value: T, dims: ReadonlyMap<string, number>): R;
  /** The operand that holds the value when it is data-dependent; the attribute is then null. */
  readonly operand?: string;
  /** The dimensions that a value mentions. */
  dims?(value: T): Shape;
}

function plain<T extends Json>(says: string, accepts: (value: unknown) => value is T): Attr<T> {
  return {
    says,
    accepts,
    print: (value) => value,
    parse: (json) => json as T,
    resolve: (value) => value,
  };
}

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);
const isNumber = (value: unknown): value is number => typeof value === 'number';
const isDim = (value: unknown): value is Dim =>
  isInteger(value) || (typeof value === 'object' && value !== null && 'terms' in value);

/** An integer within 2^53. */
export const int = (): Attr<number> => plain('an integer', isInteger);

/** A list of integers within 2^53. */
export const ints = (): Attr<readonly number[]> =>
  plain(
    'a list of integers',
    (value): value is readonly number[] => Array.isArray(value) && value.every(isInteger),
  );

/** true or false. */
export const bool = (): Attr<boolean> =>
  plain('true or false', (value): value is boolean => typeof value === 'boolean');

/** Any text. */
export const text = (): Attr<string> =>
  plain('a text', (value): value is string => typeof value === 'string');

/** One of a few words. */
export const oneOf = <const W extends string>(...words: readonly W[]): Attr<W> =>
  plain(`one of ${words.join(', ')}`, (value): value is W => words.some((word) => word === value));

/** An element type. */
export const dtypeAttr = (): Attr<DType> =>
  plain('an element type', (value): value is DType => dtypes.some((dtype) => dtype === value));

/** A JSON value that core does not interpret. */
export const opaque = (): Attr<Json> =>
  plain('a JSON value', (value): value is Json => value !== undefined);

/** A float64 number; non-finite ones are strings in text. */
export const float = (): Attr<number> => ({
  says: 'a number',
  accepts: isNumber,
  print: (value) =>
    Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : Object.is(value, -0)
        ? '-0'
        : String(value),
  parse: (json) =>
    typeof json === 'string' && /^(NaN|-?Infinity|-0)$/.test(json)
      ? Number(json)
      : (json as number),
  resolve: (value) => value,
});

/** A list of float64 numbers. */
export const floatList = (): Attr<readonly number[]> => listOf(float());

/** A list of values of one kind. */
export function listOf<T, R>(item: Attr<T, R>): Attr<readonly T[], readonly R[]> {
  return {
    says: `a list of: ${item.says}`,
    accepts: (value): value is readonly T[] =>
      Array.isArray(value) && value.every((each) => item.accepts(each)),
    print: (value) => value.map((each) => item.print(each)),
    // What is not a list passes as it is, so that `accepts` refuses it.
    parse: (json) =>
      Array.isArray(json) ? json.map((each: Json) => item.parse(each)) : (json as never),
    resolve: (value, dims) => value.map((each) => item.resolve(each, dims)),
    ...(item.dims && { dims: (value: readonly T[]) => value.flatMap((each) => item.dims!(each)) }),
  };
}

/** A value, or null where it is absent. */
export function nullable<T, R>(item: Attr<T, R>): Attr<T | null, R | null> {
  return {
    says: `${item.says}, or null`,
    accepts: (value): value is T | null => value === null || item.accepts(value),
    print: (value) => (value === null ? null : item.print(value)),
    parse: (json) => (json === null ? null : item.parse(json)),
    resolve: (value, dims) => (value === null ? null : item.resolve(value, dims)),
    ...(item.operand !== undefined && { operand: item.operand }),
    ...(item.dims && { dims: (value: T | null) => (value === null ? [] : item.dims!(value)) }),
  };
}

/** An integer that may rest on named dimensions. */
const dim = (): Attr<Dim, number> => ({
  says: 'an integer or an expression over named dimensions',
  accepts: isDim,
  print: (value) => (typeof value === 'number' ? value : value.key),
  parse: (json) => (typeof json === 'number' ? json : parseDim(String(json))),
  resolve: (value, dims) => {
    const number = evaluateDim(value, dims);
    if (number === undefined)
      throw coreDiagnostics.error('not-evaluable', {
        message: `The dimension ${String(value)} has no value.`,
        origin: { file: '' },
      });
    return number;
  },
  dims: (value) => [value],
});

/** A list of integers that may rest on named dimensions. */
export const dims = (): Attr<Shape, readonly number[]> => listOf(dim());

/**
 * Integers that are an attribute when they are constants or expressions over the named dimensions
 * of the model's inputs, and an operand (of that name, with the attribute null) when they depend on
 * data. `Graph.add` moves an operand whose elements are known into the attribute, so there is one
 * way to say it.
 */
export const dimsOrOperand = (operand: string): Attr<Shape | null, readonly number[] | null> => ({
  ...nullable(dims()),
  operand,
});

/** Attributes of an operator by name. */
export type Attrs = Readonly<Record<string, Attr<unknown, unknown>>>;

/** Values of an operator's attributes in a graph. */
export type AttrValues<A extends Attrs> = {
  readonly [K in keyof A]: A[K] extends Attr<infer T, infer _> ? T : never;
};

/**
 * Values of an operator's attributes while it is evaluated: named dimensions have become numbers.
 */
export type ResolvedAttrs<A extends Attrs> = {
  readonly [K in keyof A]: A[K] extends Attr<infer _, infer R> ? R : never;
};
