/** An operand as TF.js takes it from a node's inputs: one, or those from `start` to `end` (0: to the last, negative: from the end). */
interface TfjsInput {
  readonly name: string;
  readonly type: string;
  readonly start: number;
  readonly end?: number;
}

/** An attribute as TF.js reads it. One that is `notSupported` is ignored when the graph runs. */
interface TfjsAttr {
  readonly tfName: string;
  readonly name: string;
  readonly type: string;
  readonly default?: unknown;
  readonly notSupported?: true;
}

/** What the graph executor of TF.js declares about an operator. */
export interface TfjsOp {
  readonly category: string;
  readonly inputs: readonly TfjsInput[];
  readonly attrs: readonly TfjsAttr[];
}
