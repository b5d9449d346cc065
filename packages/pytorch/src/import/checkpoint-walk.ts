import {
  coreDiagnostics,
  sizeOf,
  type Report,
  type StoredTensor,
  type Structure,
  type TensorRole,
  type Weight,
} from '@drover/core';
import { UniqueNames } from '@drover/core/format';
import { numpyValueOf } from '../codec/numpy-array.js';
import {
  LongText,
  PersistentId,
  PickleDict,
  PickleFloat,
  PickleGlobal,
  type PickleObject,
  PickleSequence,
  type PickleValue,
} from '../codec/pickle/pickle-value.js';
import type { PytorchPart } from '../codec/pytorch-file.js';
import { rebuiltOf, viewOfStorage, type Rebuilt } from '../codec/rebuild-tensor.js';
import type { Storages } from '../codec/storages.js';
import { torchTypeOf } from '../codec/torch-types.js';
import { placeOf, viewWeight, type TensorView } from '../codec/view-weight.js';
import { pytorchDiagnostics } from '../diagnostics.js';
import { attributesOf, entriesOf, keyText, partsOf, structureKey } from './object-parts.js';
import { plainObject, type PlainObject } from './plain-object.js';
import { roleOf } from './roles.js';

/**
 * Values, lists, maps and objects of a checkpoint, those counted that are reached in several ways.
 */
const maxNodes = 1_000_000;
const maxDepth = 500;
/** Classes whose tensors are no more than tensors here. */
const plainTensors = /^torch\.(Tensor|nn\.parameter\.(Parameter|Buffer))$/;

/** A place of a checkpoint: the keys that lead to it, and what they say of the tensors below. */
class Place {
  constructor(
    readonly storages: Storages,
    readonly role: TensorRole | undefined,
    private readonly start: readonly string[],
    private readonly above?: Place,
    private readonly key?: string,
    readonly depth = 0,
  ) {}

  /** The place of a key. */
  at(key: string): Place {
    return new Place(this.storages, this.role, this.start, this, key, this.depth + 1);
  }

  /** A place that is deeper and has the same name. */
  within(role = this.role): Place {
    return new Place(this.storages, role, this.start, this, undefined, this.depth + 1);
  }

  get path(): readonly string[] {
    const above = this.above?.path ?? this.start;
    return this.key === undefined ? above : [...above, this.key];
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Goes over all that a file holds, and finds its tensors. */
export class CheckpointWalk {
  readonly #names = new UniqueNames();
  readonly #tensors: Mutable<StoredTensor>[] = [];
  readonly #byPlace = new Map<string, Mutable<StoredTensor>>();
  /** What is being gone over, and where that is. */
  readonly #open = new Map<PickleValue, Place>();
  readonly #parts: (readonly [key: string | undefined, Structure])[] = [];
  #nodes = 0;

  constructor(
    private readonly file: string,
    private readonly report: Report,
  ) {}

  /** The tensors that were found, in the order of the file. */
  get tensors(): readonly StoredTensor[] {
    return this.#tensors;
  }

  /** How all of it is nested. */
  get structure(): Structure {
    const [only, ...more] = this.#parts;
    if (only && only[0] === undefined && more.length === 0) return only[1];
    return {
      kind: 'map',
      entries: this.#parts.flatMap(([key, structure]) =>
        key === undefined && structure.kind === 'map'
          ? structure.entries
          : [[key ?? 'data', structure] as const],
      ),
    };
  }

  /** Goes over a part of the file. */
  add({ path, role, content }: PytorchPart): void {
    const key = path.length > 0 ? path.join('.') : undefined;
    if (content.kind === 'pickle') {
      const { value, storages } = content;
      if (role === 'constant' && value instanceof PickleSequence && value.items.length === 0)
        return;
      this.#parts.push([key, this.#visit(value, new Place(storages, role, path))]);
      return;
    }
    const entries = content.tensors.map(
      ({ name, view, role: own }) => [name, this.#view(view, [...path, name], own)] as const,
    );
    if (entries.length > 0) this.#parts.push([key, { kind: 'map', entries }]);
  }

  #visit(value: PickleValue, place: Place): Structure {
    if (++this.#nodes > maxNodes) throw this.#limit(`more than ${maxNodes} values`);
    if (place.depth > maxDepth) throw this.#limit(`values nested more than ${maxDepth} deep`);
    if (typeof value === 'bigint') return integer(value);
    if (value === null || typeof value !== 'object') return { kind: 'value', value };
    if (value instanceof PickleFloat)
      return {
        kind: 'value',
        value: value.value,
        ...(Number.isInteger(value.value) && { type: 'float' }),
      };
    if (value instanceof Uint8Array) return { kind: 'opaque', type: 'bytes' };
    if (value instanceof LongText) return { kind: 'opaque', type: 'str' };
    if (value instanceof PickleGlobal) return globalStructure(value);
    if (value instanceof PersistentId)
      return this.#view(viewOfStorage(value, place.storages), place.path, place.role);
    const open = this.#open.get(value);
    if (open)
      return { kind: 'opaque', type: `reference to ${JSON.stringify(open.path.join('.'))}` };
    this.#open.set(value, place);
    try {
      if (value instanceof PickleDict) return this.#map(value.entries(), place);
      return value instanceof PickleSequence
        ? this.#list(value.items, place, value.kind)
        : this.#object(value, place);
    } finally {
      this.#open.delete(value);
    }
  }

  #limit(what: string) {
    return coreDiagnostics.error('limit', {
      message: `${this.file} holds ${what}.`,
      origin: { file: this.file },
    });
  }

  #list(items: readonly PickleValue[], place: Place, type: string): Structure {
    return {
      kind: 'list',
      items: items.map((item, i) => this.#visit(item, place.at(String(i)))),
      ...(type !== 'list' && { type }),
    };
  }

  #map(
    entries: Iterable<readonly [PickleValue, PickleValue]>,
    place: Place,
  ): Structure & { readonly kind: 'map' } {
    let asText = 0;
    const visited = Array.from(entries, ([key, value], i) => {
      const kept = structureKey(key, i);
      if (typeof kept === 'string' && typeof key !== 'string') asText++;
      return [kept, this.#visit(value, place.at(keyText(key, i)))] as const;
    });
    if (asText > 0)
      this.report.add(
        pytorchDiagnostics.diagnostic('text-key', {
          message: `${JSON.stringify(place.path.join('.'))} has ${asText} keys that are read as texts.`,
          origin: { file: this.file },
        }),
      );
    return { kind: 'map', entries: visited };
  }

  /** A dict of a class of Python's own; a state dict has the versions of its modules beside it. */
  #dict(
    { type, entries }: PlainObject & { readonly kind: 'map' },
    state: PickleValue | undefined,
    place: Place,
  ): Structure {
    const isAttributed = state instanceof PickleDict && state.size > 0;
    return {
      ...this.#map(entries, place),
      ...(type !== 'dict' && { type }),
      ...(isAttributed && { attributes: this.#map(state.entries(), place) }),
    };
  }

  #object(record: PickleObject, place: Place): Structure {
    const rebuilt = rebuiltOf(record, place.storages);
    if (rebuilt) return this.#rebuilt(record, rebuilt, place);
    const numpy = numpyValueOf(record);
    if (numpy?.kind === 'array') return this.#tensor(place.path, place.role, numpy.weight);
    if (numpy) return this.#visit(numpy.value, place);
    const plain = plainObject(record);
    if (plain?.kind === 'map') return this.#dict(plain, record.state, place);
    if (plain?.kind === 'list') return this.#list(plain.items, place, plain.type);
    if (plain?.kind === 'value') return plain;
    return plain ? { kind: 'opaque', type: 'bytes' } : this.#opaque(record, place);
  }

  #named(type: string): void {
    this.report.add(
      pytorchDiagnostics.diagnostic('opaque', {
        message: `${type} is named and not built.`,
        origin: { file: this.file },
      }),
    );
  }

  /** An object of a class that is not built: its tensors are those of what it was made of. */
  #opaque(record: PickleObject, place: Place): Structure {
    const type = typeName(record);
    this.#named(type);
    const entries = partsOf(record).map(({ key, value, isTable }) => {
      if (!isTable) return [key, this.#visit(value, place.at(key))] as const;
      const role: TensorRole | undefined = key === '_buffers' ? 'buffer' : place.role;
      return [key, this.#map(entriesOf(value)!, place.within(role))] as const;
    });
    return { kind: 'opaque', type, ...(entries.length > 0 && { state: { kind: 'map', entries } }) };
  }

  #rebuilt(record: PickleObject, rebuilt: Rebuilt, place: Place): Structure {
    switch (rebuilt.kind) {
      case 'view':
        return this.#view(rebuilt.view, place.path, place.role);
      case 'text':
        return { kind: 'value', value: rebuilt.text, type: rebuilt.type };
      case 'empty':
        return this.#empty(rebuilt.type, rebuilt.why, place.path);
      case 'parts':
        return { kind: 'opaque', type: rebuilt.type, state: this.#map(rebuilt.parts, place) };
      case 'array': {
        const { array, type } = rebuilt;
        const numpy = numpyValueOf(array);
        const { dtype } = type;
        if (numpy?.kind !== 'array' || dtype === undefined)
          return this.#empty(`torch.${type.name}`, 'has no array of numbers', place.path);
        return this.#tensor(place.path, place.role, (name) => numpy.weight(name).cast(dtype));
      }
      case 'quantised': {
        const codes = this.#view(rebuilt.view, place.path, place.role);
        const parts = this.#map(rebuilt.parts, place);
        const state = { kind: 'map', entries: [['codes', codes], ...parts.entries] } as const;
        return { kind: 'opaque', type: rebuilt.type, state };
      }
      case 'value': {
        const { type = record.type.path } = rebuilt;
        if (rebuilt.type !== undefined && !plainTensors.test(type)) this.#named(type);
        const data = this.#visit(rebuilt.value, place.within());
        if (record.type.name === 'Size') return { ...data, type: 'torch.Size' } as Structure;
        const attributes = attributesOf(rebuilt.state);
        if (attributes.length === 0) return data;
        const parts = this.#map(attributes, place);
        const state = { kind: 'map', entries: [['data', data], ...parts.entries] } as const;
        return { kind: 'opaque', type, state };
      }
    }
  }

  #view(view: TensorView, path: readonly string[], role: TensorRole | undefined): Structure {
    const { name: type, dtype } = view.type;
    if (dtype === undefined)
      return this.#empty(
        `torch.${type}`,
        `has elements of torch.${type}, which has no form here`,
        path,
      );
    const place = sizeOf(view.shape) > 0 ? placeOf(view) : undefined;
    const tied = place === undefined ? undefined : this.#byPlace.get(place);
    if (tied) {
      const name = this.#name(path);
      tied.aliases = [...tied.aliases, name];
      return { kind: 'tensor', name };
    }
    return this.#tensor(path, role, (name) => viewWeight(view, dtype, name), place);
  }

  #tensor(
    path: readonly string[],
    role: TensorRole | undefined,
    weightOf: (name: string) => Weight,
    place?: string,
  ): Structure {
    const name = this.#name(path);
    const tensor = { name, weight: weightOf(name), role: role ?? roleOf(path), aliases: [] };
    this.#tensors.push(tensor);
    if (place !== undefined) this.#byPlace.set(place, tensor);
    return { kind: 'tensor', name };
  }

  #empty(type: string, why: string, path: readonly string[]): Structure {
    const name = path.join('.');
    this.report.add(
      pytorchDiagnostics.diagnostic('no-elements', {
        message: `${JSON.stringify(name)} ${why}.`,
        origin: { file: this.file, node: name },
      }),
    );
    return { kind: 'opaque', type };
  }

  /** The name of a tensor: the keys that lead to it. A tensor that is the whole file has none. */
  #name(path: readonly string[]): string {
    const wanted = path.length > 0 ? path.join('.') : 'tensor';
    const name = this.#names.unique(wanted);
    if (name !== wanted)
      this.report.add(
        pytorchDiagnostics.diagnostic('renamed', {
          message: `${JSON.stringify(wanted)} stands for two tensors; the later one is ${JSON.stringify(name)}.`,
          origin: { file: this.file, node: name },
        }),
      );
    return name;
  }
}

/** A name alone: an element type is a text, anything else an object. */
function globalStructure(global: PickleGlobal): Structure {
  return torchTypeOf(global)
    ? { kind: 'value', value: global.path, type: 'torch.dtype' }
    : { kind: 'opaque', type: global.path };
}

/** The class of a record; `copyreg._reconstructor` is given it. */
function typeName({ type, args }: PickleObject): string {
  const isGiven = /^(copyreg|copy_reg)\._reconstructor$/.test(type.path);
  return isGiven && args[0] instanceof PickleGlobal ? args[0].path : type.path;
}

/** A number where it holds an integer exactly, and else its digits. */
const integer = (value: bigint): Structure =>
  Number.isSafeInteger(Number(value))
    ? { kind: 'value', value: Number(value) }
    : { kind: 'value', value: String(value), type: 'int' };
