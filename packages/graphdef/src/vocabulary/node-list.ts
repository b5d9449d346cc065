import type { DType } from '@drover/core';
import type { DataType } from '../codec/data-type.js';
import type { AttrValue, NodeDef } from '../codec/graph-def.js';
import { registeredOp } from '../codec/operator.js';
import type { RegisteredArg } from '../schema/registered-op.js';
import { int, type, types, type Attributes } from './attribute.js';

/** A node to add: references to its inputs, and the element types that go in and come out. */
interface AddedNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly attributes: Attributes;
  readonly inputTypes: readonly DType[];
  readonly outputTypes: readonly DType[];
}

/**
 * The nodes of one graph, or of one function, with what TensorFlow wants stated about each.
 * `dataType` gives TensorFlow's name of an element type.
 */
export class NodeList {
  readonly nodes: NodeDef[] = [];

  constructor(
    private readonly dataType: (dtype: DType) => DataType,
    /** In functions `node:arg:k` refers to an output, elsewhere `node:k`. */
    private readonly isFunction: boolean,
  ) {}

  /** Adds a node; how to refer to each of its outputs. */
  add({ op, name, inputs, attributes, inputTypes, outputTypes }: AddedNode): readonly string[] {
    const attrs = new Map<string, AttrValue>();
    const registered = registeredOp(op);
    if (registered) this.#typeAttrs(registered.inputs, inputTypes, attrs);
    if (registered) this.#typeAttrs(registered.outputs, outputTypes, attrs);
    for (const [key, value] of Object.entries(attributes)) if (value) attrs.set(key, value);
    const sorted = new Map([...attrs].sort(([a], [b]) => (a < b ? -1 : 1)));
    this.nodes.push({ name, op, inputs, device: '', attrs: sorted, extra: new Map() });
    return outputTypes.map((_, i) => this.#reference(name, registered?.outputs, i));
  }

  /** Adds a constant, whose elements stand elsewhere; how to refer to it. */
  constant(name: string, dtype: DType, dims: readonly number[]): string {
    const dataType = this.dataType(dtype);
    const value: AttrValue = {
      kind: 'tensor',
      value: { dtype: dataType, shape: { dims }, extra: new Map() },
    };
    this.nodes.push({
      name,
      op: 'Const',
      inputs: [],
      device: '',
      attrs: new Map([
        ['dtype', type(dataType)],
        ['value', value],
      ]),
      extra: new Map(),
    });
    return this.#reference(name, registeredOp('Const')?.outputs, 0);
  }

  /** Types and counts of arguments, which TensorFlow wants stated. */
  #typeAttrs(
    args: readonly RegisteredArg[],
    dtypes: readonly DType[],
    attrs: Map<string, AttrValue>,
  ): void {
    const fixed = args.filter(
      ({ numberAttr, typeListAttr }) => !numberAttr && !typeListAttr,
    ).length;
    let next = 0;
    for (const { typeAttr, numberAttr, typeListAttr } of args) {
      const size = numberAttr || typeListAttr ? dtypes.length - fixed : 1;
      const own = dtypes.slice(next, next + size);
      next += size;
      if (typeAttr && own[0] && !attrs.has(typeAttr))
        attrs.set(typeAttr, type(this.dataType(own[0])));
      if (numberAttr) attrs.set(numberAttr, int(size));
      if (typeListAttr) attrs.set(typeListAttr, types(own.map((dtype) => this.dataType(dtype))));
    }
  }

  #reference(name: string, outputs: readonly RegisteredArg[] | undefined, index: number): string {
    if (!this.isFunction) return index === 0 ? name : `${name}:${index}`;
    const isList = outputs?.length === 1;
    const arg = outputs?.[isList ? 0 : index]?.name ?? 'output';
    return `${name}:${arg}:${isList ? index : 0}`;
  }
}
