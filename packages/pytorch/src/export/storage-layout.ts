import { ByteHandle, sizeOf, type StoredTensor, type Weight } from '@drover/core';
import type { WritableView } from '../codec/reduce-tensor.js';
import type { TorchType } from '../codec/torch-types.js';

/** A tensor to write, and the element type that it is written in. */
export interface TypedTensor {
  readonly tensor: StoredTensor;
  readonly type: TorchType;
}

/** Bytes of a tensor, and by how many elements each axis steps over them. */
interface Laid {
  readonly bytes: ByteHandle;
  readonly strides: readonly number[];
}

/** Where a tensor is: its bytes within those of its storage. */
interface Placed extends Laid {
  readonly storage: ByteHandle;
  /** In bytes. */
  readonly offset: number;
}

/** Steps in C order. */
const plainStrides = (shape: readonly number[]): readonly number[] =>
  shape.map((_, axis) => sizeOf(shape.slice(axis + 1).map((dim) => Math.max(dim, 1))));

/** The elements as they stand, so that a transpose is strides and moves nothing. */
function laid(weight: Weight): Laid {
  const { content, shape } = weight;
  if (content.kind === 'step') {
    const { of, step } = content;
    if (step.kind === 'transpose') {
      const { bytes, strides } = laid(of);
      return { bytes, strides: step.perm.map((axis) => strides[axis]!) };
    }
    const wide = (dims: readonly number[]) => dims.filter((dim) => dim !== 1);
    if (step.kind === 'reshape' && wide(shape).join() === wide(of.shape).join()) {
      const { bytes, strides } = laid(of);
      const kept = strides.filter((_, axis) => of.shape[axis] !== 1);
      return { bytes, strides: shape.map((dim) => (dim === 1 ? 1 : kept.shift()!)) };
    }
  }
  return { bytes: weight.handle, strides: plainStrides(shape) };
}

/**
 * The storages of a file, numbered as they are asked for. Tensors of one type whose bytes overlap
 * in the source are views of one storage, which is what they span; so are further names of one
 * tensor. What is made on the way has a storage of its own.
 */
export class StorageLayout {
  readonly #placed = new Map<StoredTensor, Placed & { readonly type: TorchType }>();
  readonly #keys = new Map<ByteHandle, number>();

  constructor(tensors: Iterable<TypedTensor>) {
    const groups = new Map<string, (Laid & TypedTensor & { readonly start: number })[]>();
    for (const { tensor, type } of tensors) {
      const { bytes, strides } = laid(tensor.weight);
      const [only, ...more] = bytes.extents;
      if (only === undefined || more.length > 0) {
        this.#placed.set(tensor, { bytes, strides, storage: bytes, offset: 0, type });
        continue;
      }
      // Views of one storage are whole elements apart.
      const key = JSON.stringify([only.of, type.name, only.offset % type.bytes]);
      const group = groups.get(key) ?? [];
      groups.set(key, group);
      group.push({ bytes, strides, tensor, type, start: only.offset });
    }
    for (const group of groups.values()) this.#share(group);
  }

  /** Parts a group into storages: bytes that overlap, joined. */
  #share(group: readonly (Laid & TypedTensor & { readonly start: number })[]): void {
    const sorted = group.toSorted((a, b) => a.start - b.start || b.bytes.length - a.bytes.length);
    for (let first = 0, next = 0; first < sorted.length; first = next) {
      const { start, bytes } = sorted[first]!;
      const parts = [bytes];
      let end = start + bytes.length;
      for (next = first + 1; next < sorted.length && sorted[next]!.start < end; next++) {
        const each = sorted[next]!;
        const more = each.start + each.bytes.length - end;
        if (more <= 0) continue;
        parts.push(each.bytes.slice(each.bytes.length - more, more));
        end += more;
      }
      const storage = ByteHandle.join(parts);
      for (const { tensor, type, start: at, ...own } of sorted.slice(first, next))
        this.#placed.set(tensor, { ...own, storage, offset: at - start, type });
    }
  }

  /** The view that a tensor is. */
  viewOf(tensor: StoredTensor): WritableView {
    const { storage, offset, strides, type } = this.#placed.get(tensor)!;
    const key = this.#keys.get(storage) ?? this.#keys.size;
    this.#keys.set(storage, key);
    return {
      type,
      storage: String(key),
      count: storage.length / type.bytes,
      offset: offset / type.bytes,
      shape: tensor.weight.shape,
      strides,
    };
  }

  /** The storages that were asked for, in the order of their keys. */
  get storages(): readonly ByteHandle[] {
    return [...this.#keys.keys()];
  }
}
