/**
 * What a pickle holds, as data. Nothing stands for itself that Python would have had to look up,
 * build or call: that is a {@link PickleGlobal} or a {@link PickleObject}. Numbers are integers;
 * those that JavaScript does not hold exactly are bigints. Bytes are arrays.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | PickleFloat
  | string
  | Uint8Array
  | LongText
  | PickleSequence
  | PickleDict
  | PickleGlobal
  | PickleObject
  | PersistentId;

/** A float, which Python tells from an integer also where it is a whole number. */
export class PickleFloat {
  constructor(readonly value: number) {}
}

/**
 * A text that is too long to be one, in UTF-8: bytes of an array, as Python writes them up to 2.
 */
export class LongText {
  constructor(readonly utf8: Uint8Array) {}
}

/** A list, a tuple, a set or a frozenset. */
export class PickleSequence {
  readonly items: PickleValue[];

  constructor(
    readonly kind: 'list' | 'tuple' | 'set' | 'frozenset',
    items: readonly PickleValue[] = [],
  ) {
    this.items = [...items];
  }
}

/**
 * A dict in the order of its keys. Keys are told apart as Python tells them as far as they are
 * texts, numbers, booleans and None (`1`, `1.0` and `True` are one key); any other key is its own.
 */
export class PickleDict {
  readonly #entries = new Map<unknown, [PickleValue, PickleValue]>();

  get size(): number {
    return this.#entries.size;
  }

  /** Puts a value under a key; a key that is there keeps its place. */
  set(key: PickleValue, value: PickleValue): void {
    const found = this.#entries.get(keyOf(key));
    if (found) found[1] = value;
    else this.#entries.set(keyOf(key), [key, value]);
  }

  get(key: PickleValue): PickleValue | undefined {
    return this.#entries.get(keyOf(key))?.[1];
  }

  /** Keys and values in order. */
  entries(): Iterable<readonly [key: PickleValue, value: PickleValue]> {
    return this.#entries.values();
  }
}

const keyOf = (key: PickleValue): unknown =>
  key instanceof PickleFloat ? key.value : typeof key === 'boolean' ? Number(key) : key;

/** A name that Python would look up: a class, a function, a constant of a module. */
export class PickleGlobal {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}

  /** Module and name: `collections.OrderedDict`. */
  get path(): string {
    return `${this.module}.${this.name}`;
  }
}

/** What Python would have built or called for, with all that it would have been given. */
export class PickleObject {
  /** What BUILD hands to the object. */
  state: PickleValue | undefined;
  /** What was appended to it as to a list, or added as to a set. */
  readonly items: PickleValue[] = [];
  /** What was put into it as into a dict. */
  readonly entries = new PickleDict();

  constructor(
    readonly type: PickleGlobal,
    readonly args: readonly PickleValue[],
    readonly keywords?: PickleDict,
  ) {}
}

/** What stands outside the pickle: a storage. */
export class PersistentId {
  constructor(readonly id: PickleValue) {}
}
