import type { StructureKey } from '@drover/core';
import {
  PickleDict,
  PickleFloat,
  PickleGlobal,
  PickleObject,
  PickleSequence,
  type PickleValue,
} from '../codec/pickle/pickle-value.js';
import { plainObject } from './plain-object.js';

/** Something that an object was made of. */
export interface ObjectPart {
  /** Its name in the structure. */
  readonly key: string;
  readonly value: PickleValue;
  /** The tables of a module add nothing to the names of its tensors. */
  readonly isTable: boolean;
}

const tables: ReadonlySet<PickleValue> = new Set(['_parameters', '_buffers', '_modules']);

/** Keys and values of what is a dict, or stands for one. */
export function entriesOf(
  value: PickleValue | undefined,
): Iterable<readonly [PickleValue, PickleValue]> | undefined {
  if (value instanceof PickleDict) return value.entries();
  const plain = value instanceof PickleObject ? plainObject(value) : undefined;
  return plain?.kind === 'map' ? plain.entries : undefined;
}

/** Whether an object is an `nn.Module` that was pickled whole, by its state. */
const isModule = (state: PickleValue | undefined) =>
  state instanceof PickleDict && [...tables].every((table) => entriesOf(state.get(table)));

/** What a state is made of: attributes, or a pair of those and the ones in slots. */
function halvesOf(state: PickleValue | undefined): readonly (PickleValue | undefined)[] {
  const isPair =
    state instanceof PickleSequence &&
    state.items.length === 2 &&
    state.items.every((half) => half === null || half instanceof PickleDict);
  return isPair ? state.items : [state];
}

/** The attributes that a state gives, those in slots last. */
export const attributesOf = (
  state: PickleValue | undefined,
): readonly (readonly [PickleValue, PickleValue])[] =>
  halvesOf(state).flatMap((half) => (half instanceof PickleDict ? [...half.entries()] : []));

/**
 * What a record of any class was made of, in the order in which Python would have handed it over:
 * arguments, elements, entries, attributes.
 */
export function partsOf(record: PickleObject): readonly ObjectPart[] {
  const parts: ObjectPart[] = [];
  const add = (key: string, value: PickleValue, isTable = false) =>
    void parts.push({ key, value, isTable });
  // `copyreg._reconstructor(class, base, state)` and classes that are given say nothing themselves.
  record.args.forEach((value, i) => {
    if (!(value instanceof PickleGlobal)) add(String(i), value);
  });
  for (const [key, value] of record.keywords?.entries() ?? [])
    add(keyText(key, parts.length), value);
  record.items.forEach((value, i) => add(String(i), value));
  for (const [key, value] of record.entries.entries()) add(keyText(key, parts.length), value);
  const { state } = record;
  const isOfModule = isModule(state);
  for (const half of halvesOf(state)) {
    if (half instanceof PickleDict)
      for (const [key, value] of half.entries())
        add(keyText(key, parts.length), value, isOfModule && tables.has(key));
    else if (half !== undefined && half !== null) add('state', half);
  }
  return parts;
}

/**
 * A key as text: as it is, or as Python prints it. An object has no text: an optimizer that was
 * pickled whole has parameters for keys, which are told by their place.
 */
export function keyText(key: PickleValue, place: number): string {
  if (key instanceof PickleObject) return String(place);
  if (typeof key === 'string') return key;
  if (key === null) return 'None';
  if (typeof key === 'boolean') return key ? 'True' : 'False';
  if (typeof key === 'number' || typeof key === 'bigint') return String(key);
  if (key instanceof PickleFloat) return String(key.value);
  if (key instanceof PickleSequence) return `(${key.items.slice(0, 8).map(shortText).join(', ')})`;
  return shortText(key);
}

/** A key as the structure has it: what JSON has for values stays, anything else is text. */
export function structureKey(key: PickleValue, place: number): StructureKey {
  if (key instanceof PickleFloat) return key.value;
  if (key === null || typeof key === 'boolean' || typeof key === 'number') return key;
  return keyText(key, place);
}

function shortText(key: PickleValue): string {
  if (key instanceof PickleGlobal) return key.path;
  if (key instanceof PickleObject) return key.type.path;
  const isPlain = key === null || typeof key !== 'object' || key instanceof PickleFloat;
  return isPlain ? keyText(key, 0) : '…';
}
