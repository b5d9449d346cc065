/** An input or output: one tensor, or `numberAttr` tensors of one type, or one tensor for each type of `typeListAttr`. */
export interface RegisteredArg {
  readonly name: string;
  /** A fixed type; else `typeAttr` or `typeListAttr` names the attribute that holds it. */
  readonly type?: string;
  readonly typeAttr?: string;
  readonly numberAttr?: string;
  readonly typeListAttr?: string;
}

/** Dimensions, -1 where unknown; null for an unknown rank. */
interface RegisteredShape {
  readonly dims: readonly number[] | null;
}

/** A default value of an attribute, in the form in which the codec decodes attributes. */
export type AttrDefault =
  | { readonly kind: 's' | 'type'; readonly value: string }
  | { readonly kind: 'i' | 'f'; readonly value: number }
  | { readonly kind: 'b'; readonly value: boolean }
  | { readonly kind: 'shape'; readonly value: RegisteredShape }
  | { readonly kind: 'func'; readonly value: { readonly name: string } }
  | { readonly kind: 'list'; readonly of: 's' | 'type'; readonly values: readonly string[] }
  | { readonly kind: 'list'; readonly of: 'i' | 'f'; readonly values: readonly number[] }
  | { readonly kind: 'list'; readonly of: 'b'; readonly values: readonly boolean[] }
  | { readonly kind: 'list'; readonly of: 'shape'; readonly values: readonly RegisteredShape[] }
  | { readonly kind: 'list'; readonly of: 'none'; readonly values: readonly [] };

/** An attribute as TensorFlow registers it. Without a default every node carries it. `minimum` bounds an integer or the length of a list. */
export interface RegisteredAttr {
  readonly type: string;
  readonly default?: AttrDefault;
  readonly allowed?: readonly string[];
  readonly minimum?: number;
}

/** An operator as TensorFlow registers it. */
export interface RegisteredOp {
  readonly inputs: readonly RegisteredArg[];
  readonly outputs: readonly RegisteredArg[];
  readonly attrs: Readonly<Record<string, RegisteredAttr>>;
  readonly stateful?: true;
}
