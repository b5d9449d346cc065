/** How the value of an attribute is written: integers, floats, booleans, text, one of a set, a tuple of numbers (nested in a few operators); `any` is unstated. */
type AttrKind = 'int' | 'float' | 'bool' | 'string' | 'enum' | 'tuple' | 'any';

/** A default as MXNet states it. */
type AttrDefault = null | boolean | number | string | readonly AttrDefault[];

/** One attribute of an operator. `nullable`: `None` is a value. */
export interface AttrSchema {
  readonly kind: AttrKind;
  readonly values?: readonly string[];
  readonly nullable?: true;
  readonly required?: true;
  readonly default?: AttrDefault;
}

/** Attributes and the values of which each must have one; `given` stands for any number. */
export type SlotCondition = Readonly<Record<string, readonly (null | boolean | string)[]>>;

/**
 * An input or output: always there, there under a condition, or repeated as often as an attribute says (less the subgraphs that MXNet counts along);
 * `{i}` stands for the index.
 */
export type Slot =
  | string
  | { readonly name: string; readonly when: SlotCondition }
  | { readonly each: string; readonly names: readonly string[]; readonly less?: number; readonly when?: SlotCondition };

/** An operator of MXNet. `outputs` are the visible ones; `hidden` ones follow them. `aux` are the inputs that training writes to. */
export interface OpSchema {
  readonly inputs: readonly Slot[];
  readonly aux?: readonly string[];
  readonly outputs: readonly Slot[];
  readonly hidden?: readonly Slot[];
  readonly attrs: Readonly<Record<string, AttrSchema>>;
}
