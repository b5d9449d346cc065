import {
  PersistentId,
  PickleDict,
  PickleGlobal,
  PickleObject,
  PickleSequence,
  type PickleValue,
} from './pickle/pickle-value.js';
import type { Storages } from './storages.js';
import { quantisedParts, sparseParts } from './tensor-parts.js';
import { torchTypeOf, type TorchType } from './torch-types.js';
import type { TensorView } from './view-weight.js';

/** What a record of PyTorch's own stands for. */
export type Rebuilt =
  /** A tensor with its elements. */
  | { readonly kind: 'view'; readonly view: TensorView }
  /** A tensor of codes, and what else says what they mean, by name. */
  | {
      readonly kind: 'quantised';
      readonly type: string;
      readonly view: TensorView;
      readonly parts: readonly (readonly [name: string, PickleValue])[];
    }
  /** Another value: a parameter is its data. `state` are attributes that it had. */
  | {
      readonly kind: 'value';
      readonly value: PickleValue;
      readonly state?: PickleValue | undefined;
      readonly type?: string;
    }
  /** An array of NumPy's, and the type that its elements had on the device. */
  | { readonly kind: 'array'; readonly array: PickleObject; readonly type: TorchType }
  /** What is made of several tensors, as sparse ones are. */
  | {
      readonly kind: 'parts';
      readonly type: string;
      readonly parts: readonly (readonly [name: string, PickleValue])[];
    }
  /** A tensor whose elements are not in the file. */
  | { readonly kind: 'empty'; readonly type: string; readonly why: string }
  /** What PyTorch has an object for and is a text here: a device, a layout. */
  | { readonly kind: 'text'; readonly type: string; readonly text: string };

type Args = readonly PickleValue[];

const functions: ReadonlyMap<string, (args: Args, storages: Storages) => Rebuilt | undefined> =
  new Map([
    ['_rebuild_tensor', (args, storages) => plain(args, storages)],
    ['_rebuild_tensor_v2', (args, storages) => plain(args, storages, { flags: args[6] })],
    [
      '_rebuild_tensor_v3',
      (args, storages) => plain(args, storages, { type: args[6], flags: args[7] }),
    ],
    ['_rebuild_qtensor', quantised],
    ['_rebuild_parameter', ([value]) => of(value)],
    ['_rebuild_parameter_with_state', ([value, , , state]) => of(value, state)],
    ['_rebuild_device_tensor_from_numpy', ([value, type]) => fromArray(value, type)],
    ['_rebuild_device_tensor_from_cpu_tensor', ([value]) => of(value)],
    ['_rebuild_xla_tensor', ([value]) => of(value)],
    ['_rebuild_sparse_tensor', ([layout, data]) => sparse(layout, data)],
    ['_rebuild_sparse_csr_tensor', ([layout, data]) => sparse(layout, data)],
    [
      '_rebuild_nested_tensor',
      (args) => named('torch.nested', ['buffer', 'sizes', 'strides', 'offsets'], args),
    ],
    ['_rebuild_meta_tensor_no_storage', ([type]) => meta(type)],
    ['_rebuild_wrapper_subclass', ([type]) => wrapper(type)],
    ['_rebuild_from_type', (args) => ofType(args)],
    ['_rebuild_from_type_v2', (args) => ofType(args)],
    ['_get_layout', ([name]) => text('torch.layout', textOf(name ?? null))],
    ['device', (args) => text('torch.device', args.map(textOf).join(':'))],
    ['restore_type_tag', ([value]) => of(value)],
    ['build_intlist', ([value]) => of(value)],
    ['build_doublelist', ([value]) => of(value)],
    ['build_boollist', ([value]) => of(value)],
    ['build_tensorlist', ([value]) => of(value)],
    ['Parameter', ([value]) => of(value)],
    ['Buffer', ([value]) => of(value)],
    ['Size', ([value]) => of(value)],
  ]);

const modules =
  /^torch(\._utils|\._tensor|\.tensor|\.serialization|\.jit\._pickle|\.nn\.parameter)?$/;

const textOf = (value: PickleValue) => String(value);
const text = (type: string, of: string): Rebuilt => ({ kind: 'text', type, text: of });

/**
 * What a record stands for that PyTorch itself pickles; undefined for all others. Throws
 * `pytorch/tensor` when a tensor's storage has another size than it says.
 */
export function rebuiltOf(record: PickleObject, storages: Storages): Rebuilt | undefined {
  const { module, name } = record.type;
  return modules.test(module) ? functions.get(name)?.(record.args, storages) : undefined;
}

function of(value: PickleValue | undefined, state?: PickleValue): Rebuilt | undefined {
  return value === undefined ? undefined : { kind: 'value', value, state };
}

function fromArray(value: PickleValue | undefined, type: PickleValue | undefined) {
  const of = torchTypeOf(type);
  return value instanceof PickleObject && of
    ? ({ kind: 'array', array: value, type: of } as const)
    : undefined;
}

function named(type: string, names: readonly string[], values: Args): Rebuilt {
  return {
    kind: 'parts',
    type,
    parts: values.slice(0, names.length).map((value, i) => [names[i]!, value]),
  };
}

function sparse(
  layout: PickleValue | undefined,
  data: PickleValue | undefined,
): Rebuilt | undefined {
  const name = layout instanceof PickleObject ? layout.args[0] : undefined;
  const parts = sparseParts.get(String(name));
  return parts && data instanceof PickleSequence
    ? named(String(name), parts, data.items)
    : undefined;
}

/** A tensor of a subclass: what the plain one's function makes, and the attributes. */
function ofType([func, type, args, state]: Args): Rebuilt | undefined {
  if (!(func instanceof PickleGlobal) || !(args instanceof PickleSequence)) return undefined;
  const value = new PickleObject(func, args.items);
  return { kind: 'value', value, state, ...(type instanceof PickleGlobal && { type: type.path }) };
}

function meta(type: PickleValue | undefined): Rebuilt {
  const name = `torch.${torchTypeOf(type)?.name ?? 'Tensor'}`;
  return { kind: 'empty', type: name, why: `is a meta tensor of ${name}, which has no elements` };
}

function wrapper(type: PickleValue | undefined): Rebuilt {
  const name = type instanceof PickleGlobal ? type.path : 'torch.Tensor';
  return { kind: 'empty', type: name, why: `is a ${name}, which has no elements of its own` };
}

const dimsOf = (value: PickleValue | undefined): readonly number[] | undefined => {
  if (value instanceof PickleObject && value.type.path === 'torch.Size')
    return dimsOf(value.args[0]);
  if (!(value instanceof PickleSequence)) return undefined;
  return value.items.every((dim) => typeof dim === 'number')
    ? (value.items as number[])
    : undefined;
};

/** `(storage, offset, size, stride, …)`, with the type where the storage has none. */
function plain(
  [storage, offset, size, stride]: Args,
  storages: Storages,
  { type, flags }: { type?: PickleValue | undefined; flags?: PickleValue | undefined } = {},
): Rebuilt | undefined {
  const view = viewOf(
    storage,
    offset,
    size,
    stride,
    storages,
    type === undefined ? undefined : torchTypeOf(type),
  );
  if (!view) return undefined;
  const isSet = (flag: string) => flags instanceof PickleDict && flags.get(flag) === true;
  return { kind: 'view', view: { ...view, isConjugate: isSet('conj'), isNegative: isSet('neg') } };
}

function viewOf(
  id: PickleValue | undefined,
  offset: PickleValue | undefined,
  size: PickleValue | undefined,
  stride: PickleValue | undefined,
  storages: Storages,
  ofTensor: TorchType | undefined,
): TensorView | undefined {
  const [shape, strides] = [dimsOf(size), dimsOf(stride)];
  if (!(id instanceof PersistentId) || typeof offset !== 'number' || !shape || !strides)
    return undefined;
  const { id: storage, type, bytes } = storages.get(id);
  return {
    type: ofTensor ?? type,
    storage,
    bytes,
    offset,
    shape,
    strides,
    isBigEndian: storages.isBigEndian,
  };
}

/** A storage by itself, as a tensor of one dimension. */
export function viewOfStorage(id: PersistentId, storages: Storages): TensorView {
  const { id: storage, type, bytes } = storages.get(id);
  const shape = [bytes.length / type.bytes];
  return {
    type,
    storage,
    bytes,
    offset: 0,
    shape,
    strides: [1],
    isBigEndian: storages.isBigEndian,
  };
}

/**
 * Parameters: `(per_tensor_affine, scale, zero_point)` or `(per_channel_affine, scales,
 * zero_points, axis)`.
 */
function quantised(
  [id, offset, size, stride, parameters]: Args,
  storages: Storages,
): Rebuilt | undefined {
  const view = viewOf(id, offset, size, stride, storages, undefined);
  if (!view || !(parameters instanceof PickleSequence)) return undefined;
  const [scheme, ...values] = parameters.items;
  const type = scheme instanceof PickleGlobal ? scheme.path : '';
  const names = quantisedParts.get(type);
  if (!names) return undefined;
  const parts = values.slice(0, names.length).map((value, i) => [names[i]!, value] as const);
  return { kind: 'quantised', type, view, parts };
}
