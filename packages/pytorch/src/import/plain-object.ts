import { rawBytesOf } from '../codec/numpy-array.js';
import {
  PickleDict,
  PickleFloat,
  PickleSequence,
  type PickleObject,
  type PickleValue,
} from '../codec/pickle/pickle-value.js';

/** What a record of Python's own stands for that only holds data; `type` is its class. */
export type PlainObject =
  | {
      readonly kind: 'map';
      readonly type: string;
      readonly entries: readonly (readonly [PickleValue, PickleValue])[];
    }
  | { readonly kind: 'list'; readonly type: string; readonly items: readonly PickleValue[] }
  | {
      readonly kind: 'value';
      readonly type: string;
      readonly value: string | { readonly real: number; readonly imag: number };
    }
  | { readonly kind: 'bytes' };

const builtins = /^(builtins|__builtin__)\./;
const dicts = /^(collections\.(OrderedDict|defaultdict|Counter)|dict)$/;
const lists = /^(collections\.deque|list|tuple|set|frozenset)$/;
const paths = /^pathlib(\._local)?\.(Pure)?(Posix|Windows)?Path$/;

/**
 * The data of a dict, a list, a path, bytes or a complex number; undefined for any other record.
 */
export function plainObject(record: PickleObject): PlainObject | undefined {
  const name = record.type.path.replace(builtins, '').replace(/^_collections/, 'collections');
  const { args } = record;
  if (dicts.test(name)) {
    const given = name.endsWith('defaultdict') ? args[1] : args[0];
    return { kind: 'map', type: name, entries: [...pairsOf(given), ...record.entries.entries()] };
  }
  if (lists.test(name)) {
    const [given] = args;
    const items = given instanceof PickleSequence ? given.items : [];
    return { kind: 'list', type: name, items: [...items, ...record.items] };
  }
  if (paths.test(name) && args.every((part) => typeof part === 'string')) {
    const text = args.join(name.includes('Windows') ? '\\' : '/').replace(/^\/\//, '/');
    return { kind: 'value', type: name, value: text };
  }
  if (name === 'complex' && args[0] instanceof PickleFloat && args[1] instanceof PickleFloat)
    return { kind: 'value', type: name, value: { real: args[0].value, imag: args[1].value } };
  return rawBytesOf(record) ? { kind: 'bytes' } : undefined;
}

/** Keys and values that a dict is made from: another dict, or a list of pairs. */
function pairsOf(given: PickleValue | undefined): (readonly [PickleValue, PickleValue])[] {
  if (given instanceof PickleDict) return [...given.entries()];
  if (!(given instanceof PickleSequence)) return [];
  return given.items.flatMap((pair) =>
    pair instanceof PickleSequence && pair.items.length === 2
      ? [[pair.items[0]!, pair.items[1]!] as const]
      : [],
  );
}
