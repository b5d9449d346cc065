import { ByteHandle, type DType } from '@drover/core';
import { checksum } from './checksum.js';
import { dataspace, datatypeOf, textType } from './datatype.js';
import { hdf5Signature } from './hdf5-file.js';
import { record, uint, undefinedAddress } from './record.js';

/** Texts of an object, each one or a list. */
export type NewAttributes = ReadonlyMap<string, string | readonly string[]>;

/** A dataset to be written. */
export interface NewDataset {
  readonly kind: 'dataset';
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The elements in C order, little-endian. */
  readonly bytes: ByteHandle;
  readonly attributes: NewAttributes;
}

/** A group to be written. */
export interface NewGroup {
  readonly kind: 'group';
  readonly attributes: NewAttributes;
  readonly members: ReadonlyMap<string, NewGroup | NewDataset>;
}

/** Texts of one attribute, whose message holds 65,535 bytes: a list that is longer is cut. */
export const maxTexts = 4000;

const superblockBytes = 48;
const messageTypes = { dataspace: 1, linkInfo: 2, datatype: 3, fill: 5, link: 6, layout: 8 };
const groupInfo = 10;
const attributeMessage = 12;

/**
 * Bytes of texts in a collection of the global heap, but for one that is longer: readers take it in
 * whole for each text.
 */
const heapBytes = 32_768;

/** What is written before the data: its place is known before its content. */
interface Block {
  readonly address: number;
  readonly bytes: () => Uint8Array;
}

/**
 * An HDF5 file of groups and contiguous datasets, as bytes that are made when they are read: all
 * that describes the data, then the data as it comes, so that memory holds none of it. Equal
 * content gives equal bytes; there are no dates. Files of HDF5 1.8 and newer read it. It is not
 * written by libhdf5, which would date each dataset and has no way to write float16, and no way to
 * write without going back.
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
 */
export function encodeHdf5(root: NewGroup): ByteHandle {
  return new Encoder().encode(root);
}

class Encoder {
  readonly #blocks: Block[] = [];
  readonly #data: { readonly dataset: NewDataset; address: number }[] = [];
  readonly #heaps: { readonly texts: Uint8Array[]; bytes: number; address: number }[] = [];
  #end = superblockBytes;

  encode(root: NewGroup): ByteHandle {
    const rootAddress = this.#object(root);
    for (const heap of this.#heaps) {
      const bytes = globalHeap(heap.texts);
      heap.address = this.#block(bytes.length, () => bytes);
    }
    const metadataEnd = this.#end;
    const padding: number[] = [];
    for (const each of this.#data) {
      padding.push(-this.#end & 7);
      each.address = this.#end + padding.at(-1)!;
      this.#end = each.address + each.dataset.bytes.length;
    }
    const head = new Uint8Array(metadataEnd);
    head.set(superblock(this.#end, rootAddress));
    for (const { address, bytes } of this.#blocks) head.set(bytes(), address);
    return ByteHandle.join([
      ByteHandle.of(head),
      ...this.#data.flatMap(({ dataset }, i) => [
        ByteHandle.of(new Uint8Array(padding[i]!)),
        dataset.bytes,
      ]),
    ]);
  }

  /** Takes the place for a block of a size, which is made when all places are taken. */
  #block(size: number, bytes: () => Uint8Array): number {
    const address = this.#end;
    this.#blocks.push({ address, bytes });
    this.#end += size + (-size & 7);
    return address;
  }

  /** The address of an object's header. */
  #object(node: NewGroup | NewDataset): number {
    const attributes = [...node.attributes].map(([name, texts]) => this.#attribute(name, texts));
    const messages = node.kind === 'group' ? this.#group(node) : this.#dataset(node);
    const all = () => objectHeader([...messages(), ...attributes.map((attribute) => attribute())]);
    // Addresses have one size, so that the header has its size before they are known.
    return this.#block(all().length, all);
  }

  #group({ members }: NewGroup): () => readonly Uint8Array[] {
    // By their names, as readers have them, so that a file that was read is written as it was.
    const sorted = [...members].sort(([a], [b]) => (a < b ? -1 : 1));
    const links = sorted.map(([name, node]) => [name, this.#object(node)] as const);
    return () => [
      message(messageTypes.linkInfo, record([0, 0], undefinedAddress, undefinedAddress)),
      message(groupInfo, record([0, 0])),
      ...links.map(([name, address]) => linkMessage(name, address)),
    ];
  }

  #dataset(dataset: NewDataset): () => readonly Uint8Array[] {
    const { dtype, shape, bytes } = dataset;
    const place = { dataset, address: 0 };
    if (bytes.length > 0) this.#data.push(place);
    return () => [
      message(messageTypes.dataspace, dataspace(shape)),
      message(messageTypes.datatype, datatypeOf(dtype)!),
      // Space is taken when elements are written, and filled only with a value that is set.
      message(messageTypes.fill, record([3, 0x0a])),
      message(
        messageTypes.layout,
        record(
          [3, 1],
          bytes.length > 0 ? uint(place.address, 8) : undefinedAddress,
          uint(bytes.length, 8),
        ),
      ),
    ];
  }

  #attribute(name: string, value: string | readonly string[]): () => Uint8Array {
    const texts = (typeof value === 'string' ? [value] : value).map((text) =>
      this.#text(new TextEncoder().encode(text)),
    );
    const shape = dataspace(typeof value === 'string' ? [] : [texts.length]);
    const named = new TextEncoder().encode(`${name}\0`);
    const sizes = [named, textType, shape].map(({ length }) => uint(length, 2));
    return () =>
      message(
        attributeMessage,
        record([3, 0], ...sizes, [1], named, textType, shape, ...texts.map((element) => element())),
      );
  }

  /** What stands for a text in an attribute: its length, and its place in a heap. */
  #text(text: Uint8Array): () => Uint8Array {
    if (text.length === 0) return () => new Uint8Array(16);
    let heap = this.#heaps.at(-1);
    if (!heap || heap.bytes + text.length > heapBytes)
      this.#heaps.push((heap = { texts: [], bytes: 0, address: 0 }));
    heap.bytes += text.length;
    const index = heap.texts.push(text);
    return () => record(uint(text.length, 4), uint(heap.address, 8), uint(index, 4));
  }
}

/** Superblock, version 2 (II.B). */
function superblock(end: number, root: number): Uint8Array {
  const addresses = [uint(0, 8), undefinedAddress, uint(end, 8), uint(root, 8)];
  return summed(record(hdf5Signature, [2, 8, 8, 0], ...addresses));
}

const summed = (bytes: Uint8Array): Uint8Array => record(bytes, uint(checksum(bytes), 4));

/** A data object header, version 2, in one chunk, without times (IV.A.1.b). */
function objectHeader(messages: readonly Uint8Array[]): Uint8Array {
  const content = record(...messages);
  const sizeOfSize = 2; // 2 ** 2 bytes
  return summed(
    record(new TextEncoder().encode('OHDR'), [2, sizeOfSize], uint(content.length, 4), content),
  );
}

const message = (type: number, data: Uint8Array): Uint8Array =>
  record([type], uint(data.length, 2), [0], data);

/** A hard link under a name in UTF-8 (IV.A.2.g). */
function linkMessage(name: string, address: number): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  const hasCharset = 0x10;
  const sizeOfLength = 1; // 2 ** 1 bytes
  return message(
    messageTypes.link,
    record([1, hasCharset | sizeOfLength, 1], uint(bytes.length, 2), bytes, uint(address, 8)),
  );
}

/** A collection of the global heap that holds texts, numbered from 1 on (III.E). */
function globalHeap(texts: readonly Uint8Array[]): Uint8Array {
  const objects = texts.map((text, i) =>
    record(
      uint(i + 1, 2),
      uint(0, 6),
      uint(text.length, 8),
      text,
      new Uint8Array(-text.length & 7),
    ),
  );
  const used = 16 + objects.reduce((sum, { length }) => sum + length, 0);
  const smallest = 4096;
  // What is left is an object of its own, which has a header, too.
  const size = used <= smallest - 16 ? smallest : used + 16;
  const rest = record(uint(0, 8), uint(size - used, 8), new Uint8Array(size - used - 16));
  return record(new TextEncoder().encode('GCOL'), [1, 0, 0, 0], uint(size, 8), ...objects, rest);
}
