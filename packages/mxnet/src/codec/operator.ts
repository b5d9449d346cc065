import { aliases } from '../schema/aliases.js';
import type { AttrSchema, OpSchema, Slot, SlotCondition } from '../schema/op-schema.js';
import { ops } from '../schema/ops.js';
import { parseAttr, type AttrValue } from './attr-value.js';
import type { SymbolNode } from './symbol.js';

const schemas: ReadonlyMap<string, OpSchema> = new Map(Object.entries(ops));
const attributes: ReadonlyMap<string, ReadonlyMap<string, AttrSchema>> = new Map(
  [...schemas].map(([name, { attrs }]) => [name, new Map(Object.entries(attrs))]),
);
const canonical: ReadonlyMap<string, string> = new Map(Object.entries(aliases));

/**
 * The name under which the registry of MXNet 1.9.1 keeps an operator; an unknown name is itself.
 */
export function canonicalOpName(name: string): string {
  return canonical.get(name) ?? name;
}

/** What MXNet 1.9.1 declares about an attribute of an operator, by the canonical name. */
export function attrSchema(op: string, name: string): AttrSchema | undefined {
  return attributes.get(op)?.get(name);
}

/** A node as far as its operator decides about inputs and outputs. */
export type OpNode = Pick<SymbolNode, 'op' | 'name' | 'attrs'>;

/**
 * One attribute of a node, typed as its operator declares it, or the declared default; undefined if
 * the operator has no such attribute. Throws `mxnet/attribute`.
 */
export function attrOf(node: OpNode, name: string, file = ''): AttrValue | undefined {
  const attr = node.op === null ? undefined : attrSchema(node.op, name);
  if (attr === undefined) return undefined;
  const text = node.attrs.get(name);
  return text === undefined
    ? attr.default
    : parseAttr(text, name, attr, { file, node: node.name, op: node.op! });
}

function holds(node: OpNode, when: SlotCondition | undefined, file: string): boolean {
  return Object.entries(when ?? {}).every(([name, allowed]) => {
    const value = attrOf(node, name, file);
    return allowed.some((a) => a === value || (a === 'given' && typeof value === 'number'));
  });
}

/** How often a slot is there: 0 or 1 under its condition, or as often as its attribute says. */
function repetitions(node: OpNode, slot: Slot, file: string): number {
  if (typeof slot === 'string') return 1;
  if (!holds(node, slot.when, file)) return 0;
  if (!('each' in slot)) return 1;
  const value = attrOf(node, slot.each, file);
  if (Array.isArray(value)) {
    const sections = attrOf(node, 'sections', file);
    return typeof sections === 'number' && sections > 0 ? sections : value.length;
  }
  const count = (typeof value === 'number' ? value : 0) - (slot.less ?? 0);
  return Math.max(0, count) * slot.names.length;
}

function nameAt(
  node: OpNode,
  slots: readonly Slot[],
  index: number,
  file: string,
): string | undefined {
  let left = index;
  for (const slot of slots) {
    const count = repetitions(node, slot, file);
    if (left < count) {
      if (typeof slot === 'string') return slot;
      if (!('each' in slot)) return slot.name;
      return slot.names[left % slot.names.length]!.replace(
        '{i}',
        String(Math.floor(left / slot.names.length)),
      );
    }
    left -= count;
  }
  return undefined;
}

/**
 * The operator's name for input `index` of a node, e.g. `weight`; undefined if it has no such input
 * or is unknown.
 */
export function inputName(node: OpNode, index: number, file = ''): string | undefined {
  const schema = node.op === null ? undefined : schemas.get(node.op);
  return schema && nameAt(node, schema.inputs, index, file);
}

/**
 * The suffix by which MXNet names output `index` of a node (`NODE_output`); undefined if the output
 * is hidden, not there, or the operator unknown.
 */
export function outputSuffix(node: OpNode, index: number, file = ''): string | undefined {
  const schema = node.op === null ? undefined : schemas.get(node.op);
  return schema && nameAt(node, schema.outputs, index, file);
}

/**
 * Names of the inputs of a node, without those that are repeated as an attribute says; undefined if
 * the operator is unknown or has repeated ones.
 */
export function fixedInputNames(node: OpNode, file = ''): readonly string[] | undefined {
  const schema = node.op === null ? undefined : schemas.get(node.op);
  if (schema === undefined) return undefined;
  const there = schema.inputs.filter((slot) => repetitions(node, slot, file) > 0);
  return there.some((slot) => typeof slot !== 'string' && 'each' in slot)
    ? undefined
    : there.map((slot) => (typeof slot === 'string' ? slot : 'name' in slot ? slot.name : ''));
}

/**
 * Whether input `index` of a node is auxiliary: a state that training writes, stored under `aux:`
 * and not listed among the arguments.
 */
export function isAuxiliary(node: OpNode, index: number, file = ''): boolean {
  const aux = node.op === null ? undefined : schemas.get(node.op)?.aux;
  return aux !== undefined && aux.includes(inputName(node, index, file) ?? '');
}

/**
 * Outputs of a node: those that users see, and all (BatchNorm has hidden ones). Undefined if the
 * operator is unknown. A variable has one.
 */
export function outputCounts(
  node: OpNode,
  file = '',
): { readonly visible: number; readonly total: number } | undefined {
  if (node.op === null) return { visible: 1, total: 1 };
  const schema = schemas.get(node.op);
  if (schema === undefined) return undefined;
  const count = (slots: readonly Slot[]): number =>
    slots.reduce((sum, slot) => sum + repetitions(node, slot, file), 0);
  const visible = count(schema.outputs);
  return { visible, total: visible + count(schema.hidden ?? []) };
}
