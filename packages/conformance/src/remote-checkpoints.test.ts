import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  convert,
  MemorySink,
  memorySource,
  openCheckpoint,
  openUrl,
  tensor,
  TensorStore,
  Weight,
  writeCheckpoint,
} from '@drover/core';
import { safetensors } from '@drover/safetensors';
import { editStore } from '@drover/weights';
import { checkpointFixtures } from './checkpoint-fixture.js';
import { allFormats } from './subjects.js';

const files = new Map<string, Uint8Array>();
let sent = new Map<string, number>();
let server: Server;
let address: string;

beforeAll(async () => {
  server = createServer(({ url, headers }, response) => {
    const path = decodeURIComponent(url!.slice(1));
    const file = files.get(path);
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    if (!file || from === undefined) return response.writeHead(404).end();
    const [start, end] = [Number(from), Math.min(Number(to), file.length - 1)];
    if (start > end) return response.writeHead(416).end();
    const part = file.subarray(start, end + 1);
    sent.set(path, (sent.get(path) ?? 0) + part.length);
    const range = `bytes ${start}-${end}/${file.length}`;
    return response.writeHead(206, { 'content-range': range }).end(part);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => server.close());
beforeEach(() => {
  files.clear();
  sent = new Map();
});

/** Names, types and bytes of a checkpoint. */
async function contentOf(store: TensorStore) {
  const tensors = [...store].map(async ({ name, weight }) => {
    const { dtype, shape } = weight;
    return [name, dtype, shape, Buffer.from(await weight.bytes()).toString('base64')];
  });
  return Promise.all(tensors);
}

it.each(checkpointFixtures().map((each) => [each.id, each] as const))(
  '%s is behind a URL what it is in a folder',
  async (_, { format: id, main, files: own, source }) => {
    const format = allFormats.find((each) => each.id === id)!;
    for (const [name, bytes] of own) files.set(name, bytes);
    const remote = await openCheckpoint(await openUrl(address + encodeURIComponent(main)), format);
    const local = await openCheckpoint(source, format);
    expect(await contentOf(remote.store)).toEqual(await contentOf(local.store));
  },
);

it('of shards that are left out nothing is fetched but what stands at their beginning', async () => {
  const length = 2 ** 18;
  const store = new TensorStore(
    Array.from({ length: 4 }, (_, i) => {
      const values = Array.from({ length }, (__, at) => i + at / length);
      const weight = Weight.from(tensor('float32', [length], values));
      return { name: `layer${i}.weight`, weight, role: 'parameter' as const, aliases: [] };
    }),
  );
  const shards = new MemorySink();
  await writeCheckpoint(
    { store, format: 'core', versions: {}, file: '' },
    {
      to: safetensors,
      sink: shards,
      path: 'model.safetensors.index.json',
      options: { shardSize: 4 * length },
    },
  );
  expect(shards.files.size).toBe(5);
  for (const [name, bytes] of shards.files) files.set(name, bytes);
  sent = new Map();
  const sink = new MemorySink();
  await convert({
    from: safetensors,
    to: safetensors,
    source: await openUrl(`${address}model.safetensors.index.json`),
    sink,
    edit: (all, report) => editStore(all, { only: ['layer2.*'] }, report),
  });
  const written = await openCheckpoint(memorySource('model.safetensors', sink.files), safetensors);
  expect(await contentOf(written.store)).toEqual(
    (await contentOf(store)).filter(([name]) => name === 'layer2.weight'),
  );
  const all = [...sent.values()].reduce((sum, bytes) => sum + bytes, 0);
  expect(all).toBeLessThan(4 * length + 300_000);
});
