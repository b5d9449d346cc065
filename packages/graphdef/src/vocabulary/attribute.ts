import type { AttrValue, TensorShape } from '../codec/graph-def.js';
import type { DataType } from '../codec/data-type.js';

/** Attributes of a node to write, by name; undefined ones are not written. */
export type Attributes = Readonly<Record<string, AttrValue | undefined>>;

/** An integer attribute. */
export const int = (value: number): AttrValue => ({ kind: 'i', value });

/** A float attribute, rounded to float32. */
export const float = (value: number): AttrValue => ({ kind: 'f', value: Math.fround(value) });

/** A boolean attribute. */
export const bool = (value: boolean): AttrValue => ({ kind: 'b', value });

/** A text attribute. */
export const text = (value: string): AttrValue => ({ kind: 's', value });

/** An element type. */
export const type = (value: DataType): AttrValue => ({ kind: 'type', value });

/** A list of integers. */
export const ints = (values: readonly number[]): AttrValue => ({ kind: 'list', of: 'i', values });

/** A list of element types. */
export const types = (values: readonly DataType[]): AttrValue => ({
  kind: 'list',
  of: 'type',
  values,
});

/** A list of shapes. */
export const shapes = (values: readonly TensorShape[]): AttrValue => ({
  kind: 'list',
  of: 'shape',
  values,
});

/** A function of the library. */
export const func = (name: string): AttrValue => ({
  kind: 'func',
  value: { name, attrs: new Map() },
});
