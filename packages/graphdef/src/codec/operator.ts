import type { DType } from '@drover/core';
import { graphdefDiagnostics } from '../diagnostics.js';
import { ops } from '../schema/ops.js';
import type {
  AttrDefault,
  RegisteredArg,
  RegisteredAttr,
  RegisteredOp,
} from '../schema/registered-op.js';
import { unregisteredOps } from '../schema/unregistered-ops.js';
import { dtypeOf, isDataType } from './data-type.js';
import type { AttrValue, NodeDef, OpDef } from './graph-def.js';

const registered: ReadonlyMap<string, RegisteredOp> = new Map<string, RegisteredOp>([
  ...Object.entries(ops),
  ...Object.entries(unregisteredOps),
]);

const attributes: ReadonlyMap<string, ReadonlyMap<string, RegisteredAttr>> = new Map(
  [...registered].map(([name, { attrs }]) => [name, new Map(Object.entries(attrs))]),
);

/** What TensorFlow registers about an operator. */
export function registeredOp(name: string): RegisteredOp | undefined {
  return registered.get(name);
}

/** What TensorFlow registers about an attribute of an operator. */
export function registeredAttr(op: string, name: string): RegisteredAttr | undefined {
  return attributes.get(op)?.get(name);
}

function asValue(value: AttrDefault): AttrValue {
  if (value.kind === 'func') return { kind: 'func', value: { ...value.value, attrs: new Map() } };
  // The registry names types by their names in types.proto.
  return value as Exclude<AttrDefault, { kind: 'func' }> & AttrValue;
}

/**
 * An attribute of a node, or its registered default (graphs leave defaults out); undefined if the
 * operator has no such attribute, or no default for it.
 */
export function attrOf(node: Pick<NodeDef, 'op' | 'attrs'>, name: string): AttrValue | undefined {
  const fallback = registeredAttr(node.op, name)?.default;
  return node.attrs.get(name) ?? (fallback && asValue(fallback));
}

/** A reference to an output of a node, or to the node itself for a control dependency. */
export interface InputRef {
  readonly node: string;
  readonly control: boolean;
  /**
   * In function bodies: the output argument that `index` counts within; elsewhere absent, and
   * `index` counts all outputs.
   */
  readonly arg?: string;
  readonly index: number;
}

/**
 * Takes `name`, `name:1`, `name:arg:1` or `^name` apart. Throws `graphdef/graph` when it is none of
 * these.
 */
export function parseInput(text: string, file = ''): InputRef {
  if (text.startsWith('^')) return { node: text.slice(1), control: true, index: 0 };
  const [node, ...rest] = text.split(':') as [string, ...string[]];
  const [arg, index] = rest.length === 2 ? [rest[0]!, rest[1]!] : [undefined, rest[0] ?? '0'];
  if (rest.length > 2 || node === '' || !/^\d{1,9}$/.test(index)) {
    throw graphdefDiagnostics.error('graph', {
      message: `${JSON.stringify(text)} is not a reference to an output.`,
      origin: { file },
    });
  }
  return { node, control: false, ...(arg === undefined ? {} : { arg }), index: Number(index) };
}

/** An input or output argument of an operator or a function. */
export type Arg = Pick<RegisteredArg, 'name' | 'type' | 'typeAttr' | 'numberAttr' | 'typeListAttr'>;

/**
 * Arguments of the operator of a node, which may be a function of the library; undefined if neither
 * knows it.
 */
function argsOf(
  node: Pick<NodeDef, 'op'>,
  functions?: ReadonlyMap<string, OpDef>,
): { readonly inputs: readonly Arg[]; readonly outputs: readonly Arg[] } | undefined {
  return functions?.get(node.op) ?? registered.get(node.op);
}

/**
 * How many tensors an argument of a node is. Throws `graphdef/attribute` when the attribute that
 * says so is missing or no count.
 */
export function argSize(node: NodeDef, arg: Arg, file = ''): number {
  const name = arg.numberAttr ?? arg.typeListAttr;
  if (name === undefined) return 1;
  const value = attrOf(node, name);
  if (value?.kind === 'list') return value.values.length;
  if (
    value?.kind === 'i' &&
    typeof value.value === 'number' &&
    value.value >= 0 &&
    arg.numberAttr !== undefined
  )
    return value.value;
  throw graphdefDiagnostics.error('attribute', {
    message: `${node.name} does not say by its attribute ${name} how many tensors ${arg.name} is.`,
    origin: { file, node: node.name, op: node.op },
  });
}

/** Number of outputs of a node; undefined if its operator is not known. */
export function outputCount(
  node: NodeDef,
  functions?: ReadonlyMap<string, OpDef>,
  file = '',
): number | undefined {
  return argsOf(node, functions)?.outputs.reduce((sum, arg) => sum + argSize(node, arg, file), 0);
}

/**
 * The element types of a node's outputs as its operator is registered; undefined for those that are
 * not known.
 */
export function outputTypes(node: NodeDef, file = ''): readonly (DType | undefined)[] {
  const dtype = (name: string | undefined) =>
    name !== undefined && isDataType(name) ? dtypeOf(name) : undefined;
  return (registered.get(node.op)?.outputs ?? []).flatMap((arg) => {
    const list = arg.typeListAttr === undefined ? undefined : attrOf(node, arg.typeListAttr);
    if (list?.kind === 'list')
      return list.of === 'type' ? list.values.map(dtype) : list.values.map(() => undefined);
    const stated = arg.typeAttr === undefined ? undefined : attrOf(node, arg.typeAttr);
    const type = arg.type ?? (stated?.kind === 'type' ? stated.value : undefined);
    return new Array<DType | undefined>(argSize(node, arg, file)).fill(dtype(type));
  });
}

/**
 * The position of a referenced output among all outputs of its node: `node:arg:k` of function
 * bodies becomes `node:i`. Throws `graphdef/graph` when the node has no such output. A reference
 * without argument is what it says, and so is one to an operator that is not known.
 */
export function outputPosition(
  node: NodeDef,
  ref: InputRef,
  functions?: ReadonlyMap<string, OpDef>,
  file = '',
): number {
  const outputs = argsOf(node, functions)?.outputs;
  if (outputs === undefined) return ref.index;
  let position = 0;
  for (const arg of outputs) {
    const size = argSize(node, arg, file);
    const within =
      ref.arg === undefined ? ref.index - position : ref.arg === arg.name ? ref.index : size;
    if (within < size) return position + within;
    position += size;
  }
  throw graphdefDiagnostics.error('graph', {
    message: `${node.name} has no output ${ref.arg === undefined ? '' : `${ref.arg}:`}${ref.index}.`,
    origin: { file, node: node.name, op: node.op },
  });
}
