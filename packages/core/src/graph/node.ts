import type { Attr, AttrValues, Attrs } from '../ops/attr.js';
import type { Op, Operands, PerOperand } from '../ops/define-op.js';
import type { Graph } from './graph.js';
import type { NodeOrigin } from './origin.js';
import { ownMember } from './own-member.js';
import type { Value } from './value.js';

/**
 * A body of a node. Its graph is closed: the last `captures.length` inputs of the graph stand for
 * values of the graph around it, the ones before are the parameters that the operator passes.
 */
export interface Region {
  readonly graph: Graph;
  readonly captures: Value[];
}

/** An operator at work: operands, attributes, bodies and results. */
export class Node<O extends Op = Op> {
  readonly outputs: Value[] = [];
  constructor(
    readonly op: O,
    /**
     * Operands in the order of the operator's declaration; the values of a `many` operand follow
     * one another at the end.
     */
    readonly inputs: (Value | undefined)[],
    public attrs: AttrValues<O['attrs']>,
    readonly regions: Readonly<Record<string, Region>>,
    public name: string,
    /** The node of the source that it stands for, alone or with others. */
    public origin: NodeOrigin,
  ) {}

  /** Whether this is a node of that operator; narrows the type. */
  is<I extends Operands, R extends Operands, A extends Attrs>(
    op: Op<I, R, A>,
  ): this is Node<Op<I, R, A>> {
    return (this.op as Op) === (op as Op);
  }

  /** Operands by name. */
  get operands(): PerOperand<O['inputs'], Value> {
    return byName(this.op.inputs, this.inputs) as PerOperand<O['inputs'], Value>;
  }

  /** Results by name. */
  get results(): PerOperand<O['outputs'], Value> {
    return byName(this.op.outputs, this.outputs) as PerOperand<O['outputs'], Value>;
  }

  /** Every value that the node needs: operands and captures of its bodies. */
  *dependencies(): Iterable<Value> {
    for (const value of this.inputs) if (value) yield value;
    for (const region of Object.values(this.regions)) yield* region.captures;
  }

  toString(): string {
    return `${this.op.name} ${this.name}`;
  }
}

/** Entries of a flat list by the names of a declaration. */
export function byName<T>(
  declared: Operands,
  flat: readonly (T | undefined)[],
): Record<string, T | undefined | readonly T[]> {
  return Object.fromEntries(
    Object.entries(declared).map(([name, { arity }], i) => [
      name,
      arity === 'many' ? flat.slice(i).filter((each) => each !== undefined) : flat[i],
    ]),
  );
}

/** The inverse of {@link byName}. */
export function flatten<T>(
  declared: Operands,
  named: Readonly<Record<string, unknown>>,
): (T | undefined)[] {
  return Object.entries(declared).flatMap(([name, { arity }]) => {
    const given = ownMember(named, name);
    return arity === 'many' ? ((given ?? []) as T[]) : [given as T | undefined];
  });
}

/** The attributes that a node's operator declares, with their values, in their order there. */
export function attrsOf({
  op,
  attrs,
}: Node): readonly (readonly [name: string, attr: Attr<unknown, unknown>, value: unknown])[] {
  return Object.entries(op.attrs).map(([name, attr]) => [name, attr, ownMember(attrs, name)]);
}
