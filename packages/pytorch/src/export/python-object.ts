import type { Json, Structure, StructureKey, TensorStore } from '@drover/core';
import {
  PickleDict,
  PickleFloat,
  PickleGlobal,
  PickleObject,
  PickleSequence,
  type PickleValue,
} from '../codec/pickle/pickle-value.js';
import {
  orderedDict,
  reduceLayout,
  reduceParameter,
  reduceQuantised,
  reduceSparse,
  reduceTensor,
} from '../codec/reduce-tensor.js';
import { sparseParts } from '../codec/tensor-parts.js';
import { quantisedTypeFor, torchTypeOf } from '../codec/torch-types.js';
import { moduleStateOf } from './module-state.js';
import { partsOf, quantisedOf } from './quantised.js';
import type { StorageLayout } from './storage-layout.js';
import { nodesIn } from './structure-nodes.js';

type OfKind<K extends Structure['kind']> = Structure & { readonly kind: K };
type Path = readonly StructureKey[];

const parameterWithState = 'torch._utils._rebuild_parameter_with_state';

/**
 * Makes the object to pickle from the nesting of a checkpoint, of what PyTorch's loader of weights
 * takes alone. Objects of other classes become the dicts of what they were made of, modules their
 * state dicts; what has no such form is left out.
 */
export class PythonObject {
  /** What is left out: where it stands, and what it is. */
  readonly left: string[] = [];
  /** What is written as plain data: where it stands, and of which class it is. */
  readonly asData: string[] = [];

  constructor(
    private readonly store: TensorStore,
    private readonly layout: StorageLayout,
  ) {}

  /**
   * The object. Without a nesting it is a state dict: all names in the order of the store, further
   * ones behind those of their tensors. Tensors that the nesting does not name stand at its end,
   * where that is a dict, and are left out otherwise.
   */
  make(): PickleValue {
    const { structure } = this.store;
    if (!structure) return orderedDict(this.#named());
    const value = this.#visit(structure, []) ?? orderedDict();
    const names = new Set<string>();
    for (const each of nodesIn(structure)) if (each.kind === 'tensor') names.add(each.name);
    const isOrdered =
      value instanceof PickleObject && value.type.path === 'collections.OrderedDict';
    const entries = isOrdered ? value.entries : value;
    for (const [name, tensor] of this.#named(names)) {
      if (entries instanceof PickleDict) entries.set(name, tensor);
      else this.left.push(`${name} (tensor)`);
    }
    return value;
  }

  /** The tensors that have none of some names, by each of their own. */
  *#named(but: ReadonlySet<string> = new Set()): Iterable<readonly [string, PickleValue]> {
    for (const { name, aliases } of this.store)
      if (![name, ...aliases].some((each) => but.has(each)))
        for (const each of [name, ...aliases]) yield [each, this.#tensor(each)!];
  }

  #visit(structure: Structure, path: Path): PickleValue | undefined {
    switch (structure.kind) {
      case 'tensor':
        return this.#tensor(structure.name) ?? this.#leave(path, 'tensor');
      case 'value':
        return this.#value(structure, path);
      case 'list':
        return this.#list(structure, path);
      case 'map':
        return this.#map(structure, path);
      case 'opaque':
        return this.#rebuilt(structure, path) ?? this.#object(structure, path);
    }
  }

  #leave(path: Path, what: string): undefined {
    this.left.push(`${placeOf(path)} (${what})`);
  }

  #tensor(name: string): PickleValue | undefined {
    const tensor = this.store.get(name);
    return tensor && reduceTensor(this.layout.viewOf(tensor));
  }

  #value({ value, type }: OfKind<'value'>, path: Path): PickleValue {
    const typed = type === undefined ? undefined : ofType(value, type);
    if (typed !== undefined) return typed;
    if (type !== undefined) this.asData.push(`${placeOf(path)} (${type})`);
    return ofJson(value);
  }

  /** What is left out of a list keeps its place, so that the others do. */
  #list({ items, type = 'list' }: OfKind<'list'>, path: Path): PickleValue {
    const values = items.map((item, i) => this.#visit(item, [...path, i]) ?? null);
    if (type === 'list' || type === 'tuple' || type === 'set')
      return new PickleSequence(type, values);
    if (type === 'torch.Size')
      return new PickleObject(new PickleGlobal('torch', 'Size'), [
        new PickleSequence('tuple', values),
      ]);
    this.asData.push(`${placeOf(path)} (${type})`);
    return new PickleSequence('list', values);
  }

  #map({ entries, type = 'dict', attributes }: OfKind<'map'>, path: Path): PickleValue {
    const dict = this.#dict(entries, path);
    if (type === 'collections.OrderedDict') {
      const ordered = orderedDict(dict.entries());
      ordered.state = attributes && this.#visit(attributes, path);
      return ordered;
    }
    if (attributes) this.#leave(path, 'attributes');
    if (type === 'collections.Counter')
      return new PickleObject(new PickleGlobal('collections', 'Counter'), [dict]);
    if (type !== 'dict') this.asData.push(`${placeOf(path)} (${type})`);
    return dict;
  }

  #dict(entries: OfKind<'map'>['entries'], path: Path): PickleDict {
    const dict = new PickleDict();
    for (const [key, each] of entries) {
      const at = ofJson(key);
      // Keys that are no text have one here, which may be that of another.
      const isTaken = dict.get(at) !== undefined;
      const value = isTaken
        ? this.#leave([...path, key], 'the key is there twice')
        : this.#visit(each, [...path, key]);
      if (value !== undefined) dict.set(at, value);
    }
    return dict;
  }

  /** An object that PyTorch itself makes of tensors; undefined for any other one. */
  #rebuilt(structure: OfKind<'opaque'>, path: Path): PickleValue | undefined {
    const quantised = quantisedOf(structure);
    const codes = quantised && this.store.get(quantised.codes);
    if (codes && quantisedTypeFor(codes.weight.dtype)) {
      const parameters = this.#parts(quantised.parameters, path);
      return parameters && reduceQuantised(this.layout.viewOf(codes), quantised.scheme, parameters);
    }
    const sparse = sparseParts.get(structure.type);
    if (sparse) {
      const parts = this.#parts(partsOf(structure, sparse), path);
      return parts && reduceSparse(structure.type, parts);
    }
    if (structure.type !== parameterWithState) return undefined;
    const [data] = this.#parts(partsOf(structure, ['data']), path) ?? [];
    const attributes = structure.state?.kind === 'map' ? structure.state.entries : [];
    const rest = attributes.filter(([key]) => key !== 'data');
    return data && reduceParameter(data, this.#dict(rest, path));
  }

  /** All of some parts; undefined where one has no form. */
  #parts(parts: readonly Structure[] | undefined, path: Path): readonly PickleValue[] | undefined {
    const values = parts?.map((part) => this.#visit(part, path));
    return values?.every((value) => value !== undefined) ? values : undefined;
  }

  #object(structure: OfKind<'opaque'>, path: Path): PickleValue | undefined {
    const { type, state } = structure;
    const module = moduleStateOf(structure);
    if (module) {
      for (const [key, each] of module.left) this.#leave([...path, key], what(each));
      this.asData.push(`${placeOf(path)} (${type})`);
      return orderedDict(this.#dict(module.entries, path).entries());
    }
    if (!state) return this.#leave(path, type);
    const value = this.#visit(state, path);
    const isEmpty = value instanceof PickleDict && value.size === 0;
    if (value === undefined || isEmpty) return this.#leave(path, type);
    this.asData.push(`${placeOf(path)} (${type})`);
    return value;
  }
}

const placeOf = (path: Path): string => `/${path.join('/')}`;
const what = (structure: Structure): string =>
  structure.kind === 'opaque' ? structure.type : structure.kind;

function ofJson(value: Json): PickleValue {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? value : new PickleFloat(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return new PickleSequence('list', value.map(ofJson));
  const dict = new PickleDict();
  for (const [key, each] of Object.entries(value)) dict.set(key, ofJson(each as Json));
  return dict;
}

/** A value of a type that PyTorch's loader takes; undefined for any other type. */
function ofType(value: Json, type: string): PickleValue | undefined {
  if (type === 'float' && typeof value === 'number') return new PickleFloat(value);
  if (type === 'complex' && value !== null && typeof value === 'object' && 'real' in value) {
    const { real, imag } = value as { readonly real: number; readonly imag: number };
    const parts = [real, imag].map((each) => new PickleFloat(each));
    return new PickleObject(new PickleGlobal('__builtin__', 'complex'), parts);
  }
  if (typeof value !== 'string') return undefined;
  if (type === 'int') return BigInt(value);
  if (type === 'torch.device')
    return new PickleObject(new PickleGlobal('torch', 'device'), [value]);
  if (type === 'torch.layout') return reduceLayout(value);
  const global = new PickleGlobal('torch', value.replace(/^torch\./, ''));
  return type === 'torch.dtype' && torchTypeOf(global) ? global : undefined;
}
