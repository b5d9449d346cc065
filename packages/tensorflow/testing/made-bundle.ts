import { memorySource, MemorySink, type Source } from '@drover/core';
import { encodeMessage, type Message } from '@drover/protobuf';
import { decodeBundle, type BundleTensor } from '../src/codec/decode-bundle.js';
import { maskedCrcOf } from '../src/codec/masked-crc.js';
import { schema, type BundleEntry, type BundleHeader } from '../src/codec/messages.js';
import { compareBytes } from '../src/codec/table/compare-bytes.js';
import { writeTable } from '../src/codec/table/write-table.js';

const utf8 = (text: string) => new TextEncoder().encode(text);

async function messageBytes(name: 'BundleHeader' | 'BundleEntry', message: Message) {
  const sink = new MemorySink();
  await encodeMessage(schema, name, message, await sink.create('m'));
  await sink.commit();
  return sink.files.get('m')!;
}

/** The bytes of a table of entries, which are sorted first. */
export async function tableOf(
  entries: readonly (readonly [key: string | Uint8Array, value: Uint8Array])[],
): Promise<Uint8Array> {
  const sink = new MemorySink();
  const sorted = entries
    .map(([key, value]) => ({ key: typeof key === 'string' ? utf8(key) : key, value }))
    .sort((a, b) => compareBytes(a.key, b.key));
  await writeTable(await sink.create('t'), sorted);
  await sink.commit();
  return sink.files.get('t')!;
}

/** A checkpoint of any header and entries, by key; its one weight file holds `data`. */
export async function bundleOf(
  entries: readonly (readonly [key: string | Uint8Array, entry: BundleEntry])[],
  data: Uint8Array,
  header: BundleHeader = { numShards: 1, version: { producer: 1 } },
): Promise<Source> {
  const index = await tableOf([
    ['', await messageBytes('BundleHeader', header)],
    ...(await Promise.all(
      entries.map(async ([key, entry]) => [key, await messageBytes('BundleEntry', entry)] as const),
    )),
  ]);
  const files = { 'm.index': index, 'm.data-00000-of-00001': data };
  return memorySource('m.index', new Map(Object.entries(files)));
}

/** Bytes of a weight file, all of them different. */
export const someBytes = Uint8Array.from({ length: 40 }, (_, i) => i * 7);

/** An entry of a range of {@link someBytes}, as elements of uint8, with their CRC. */
export const bytesEntry = (offset: number, size: number, more: BundleEntry = {}): BundleEntry => ({
  dtype: 4,
  shape: { dim: [{ size }] },
  offset,
  size,
  crc32c: maskedCrcOf(someBytes.subarray(offset, offset + size)),
  ...more,
});

/** The tensors of a checkpoint over {@link someBytes}, all of which are read. */
export async function readBundle(
  entries: readonly (readonly [string | Uint8Array, BundleEntry])[],
  header?: BundleHeader,
): Promise<readonly BundleTensor[]> {
  const { tensors } = await decodeBundle(await bundleOf(entries, someBytes, header));
  for (const { bytes } of tensors) await bytes.read();
  return tensors;
}
