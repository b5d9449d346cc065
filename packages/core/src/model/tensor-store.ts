import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Json } from '../ops/attr.js';
import type { Weight } from '../tensor/weight.js';

/**
 * What a stored tensor is for: a `parameter` is trained; a `buffer` is kept by training without
 * being trained (running statistics); a `constant` belongs to the graph; `optimizer` state belongs
 * to training alone.
 */
export type TensorRole = 'parameter' | 'buffer' | 'constant' | 'optimizer';

/** A tensor of a store. */
export interface StoredTensor {
  /** The source's name; unique in the store. */
  readonly name: string;
  readonly weight: Weight;
  readonly role: TensorRole;
  /** Further names of the same tensor: weights that are tied are one tensor. */
  readonly aliases: readonly string[];
}

/** A key of a map: a text, or what else Python has for keys and JSON for values. */
export type StructureKey = string | number | boolean | null;

/**
 * How a checkpoint nests its tensors: what the framework hands back when it loads the file. Lists
 * and maps keep their order; `opaque` is an object of a class that is named and never built, with
 * what it was made of where the file tells. A `type` says, under the source's name, what a value, a
 * list or a map is where that is not the plain one: `float` for 1.0, `int` for the digits of an
 * integer beyond 2^53, `complex` for `{real, imag}`, `tuple`, `collections.OrderedDict`. A map may
 * have attributes beside its entries.
 */
export type Structure =
  | { readonly kind: 'tensor'; readonly name: string }
  | { readonly kind: 'value'; readonly value: Json; readonly type?: string }
  | { readonly kind: 'list'; readonly items: readonly Structure[]; readonly type?: string }
  | {
      readonly kind: 'map';
      readonly entries: readonly (readonly [key: StructureKey, Structure])[];
      readonly type?: string;
      readonly attributes?: Structure;
    }
  | { readonly kind: 'opaque'; readonly type: string; readonly state?: Structure };

/** What a store has beside its tensors. */
export interface StoreOptions {
  /** The nesting; absent where the file is a flat list of names. */
  readonly structure?: Structure | undefined;
  /** Texts that the file keeps beside the tensors. */
  readonly metadata?: ReadonlyMap<string, string> | undefined;
}

/**
 * The named tensors of a model or a checkpoint, in the order of the file. Handles only: making and
 * asking a store reads no elements.
 */
export class TensorStore implements Iterable<StoredTensor> {
  readonly #tensors = new Map<string, StoredTensor>();
  readonly #aliases = new Map<string, StoredTensor>();
  readonly structure: Structure | undefined;
  readonly metadata: ReadonlyMap<string, string>;

  /** Throws `core/duplicate` when two tensors share a name. */
  constructor(tensors: Iterable<StoredTensor> = [], options: StoreOptions = {}) {
    for (const tensor of tensors) {
      for (const name of [tensor.name, ...tensor.aliases]) {
        if (this.has(name))
          throw coreDiagnostics.error('duplicate', {
            message: `Two stored tensors are named ${JSON.stringify(name)}.`,
            origin: { file: '', node: name },
          });
        (name === tensor.name ? this.#tensors : this.#aliases).set(name, tensor);
      }
    }
    this.structure = options.structure;
    this.metadata = options.metadata ?? new Map();
  }

  /** How many tensors there are; one with several names counts once. */
  get size(): number {
    return this.#tensors.size;
  }

  /** Whether a tensor has this name, as its own or as an alias. */
  has(name: string): boolean {
    return this.#tensors.has(name) || this.#aliases.has(name);
  }

  /** The tensor of a name or alias. */
  get(name: string): StoredTensor | undefined {
    return this.#tensors.get(name) ?? this.#aliases.get(name);
  }

  [Symbol.iterator](): Iterator<StoredTensor> {
    return this.#tensors.values();
  }
}
