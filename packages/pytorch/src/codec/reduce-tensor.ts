import {
  PersistentId,
  type PickleDict,
  PickleGlobal,
  PickleObject,
  PickleSequence,
  type PickleValue,
} from './pickle/pickle-value.js';
import { storageClassOf, type TorchType } from './torch-types.js';

/** A tensor that is written: a view of a storage, counted in elements of its type. */
export interface WritableView {
  readonly type: TorchType;
  /** Key of the storage in the file. */
  readonly storage: string;
  /** Elements of the storage. */
  readonly count: number;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

const tuple = (...items: readonly PickleValue[]) => new PickleSequence('tuple', items);
const inUtils = (name: string) => new PickleGlobal('torch._utils', name);

/** A `collections.OrderedDict` with its entries. */
export function orderedDict(
  entries: Iterable<readonly [PickleValue, PickleValue]> = [],
): PickleObject {
  const dict = new PickleObject(new PickleGlobal('collections', 'OrderedDict'), []);
  for (const [key, value] of entries) dict.entries.set(key, value);
  return dict;
}

/** What stands outside the pickle: `("storage", class, key, "cpu", count)`. */
function storageOf({ type, storage, count }: WritableView): PersistentId {
  const name = storageClassOf(type);
  return name === undefined
    ? storageId('torch.storage', 'UntypedStorage', storage, count * type.bytes)
    : storageId('torch', name, storage, count);
}

const storageId = (module: string, name: string, key: string, count: number) =>
  new PersistentId(tuple('storage', new PickleGlobal(module, name), key, 'cpu', count));

/** `(storage, offset, size, stride)`, with which every tensor begins. */
const placeIn = (view: WritableView): readonly PickleValue[] => [
  storageOf(view),
  view.offset,
  tuple(...view.shape),
  tuple(...view.strides),
];

/**
 * A tensor as PyTorch pickles it, that needs no gradient: types that came after the classes of
 * storages name themselves.
 * @see https://github.com/pytorch/pytorch/blob/v2.9.0/torch/_tensor.py, `_reduce_ex_internal`
 */
export function reduceTensor(view: WritableView): PickleObject {
  const args = [...placeIn(view), false, orderedDict()];
  return storageClassOf(view.type) === undefined
    ? new PickleObject(inUtils('_rebuild_tensor_v3'), [
        ...args,
        new PickleGlobal('torch', view.type.name),
      ])
    : new PickleObject(inUtils('_rebuild_tensor_v2'), args);
}

/** A quantised tensor of codes: its scheme, as `per_tensor_affine`, and what the scheme takes. */
export function reduceQuantised(
  view: WritableView,
  scheme: string,
  parameters: readonly PickleValue[],
): PickleObject {
  return new PickleObject(inUtils('_rebuild_qtensor'), [
    ...placeIn(view),
    tuple(new PickleGlobal('torch', scheme), ...parameters),
    false,
    orderedDict(),
  ]);
}

/** A layout of tensors, as `torch.sparse_coo`. */
export const reduceLayout = (layout: string): PickleObject =>
  new PickleObject(new PickleGlobal('torch.serialization', '_get_layout'), [layout]);

/** A sparse tensor: what it is made of, in the order in which its layout takes it. */
export function reduceSparse(layout: string, parts: readonly PickleValue[]): PickleObject {
  return new PickleObject(inUtils('_rebuild_sparse_tensor'), [
    reduceLayout(layout),
    tuple(...parts),
  ]);
}

/** A parameter that has attributes, by their names. */
export function reduceParameter(data: PickleValue, attributes: PickleDict): PickleObject {
  return new PickleObject(inUtils('_rebuild_parameter_with_state'), [
    data,
    false,
    orderedDict(),
    attributes,
  ]);
}
