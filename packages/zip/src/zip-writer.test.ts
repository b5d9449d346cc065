import { unzipSync } from 'fflate';
import { ByteHandle, memorySource, MemorySink, type Source } from '@drover/core';
import { readZip, ZipWriter, type AddOptions, type ZipWriterOptions } from './index.js';

const text = (value: string) => new TextEncoder().encode(value);
const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });

async function written(
  files: readonly (readonly [string, Uint8Array | ByteHandle, AddOptions?])[],
  options?: ZipWriterOptions,
): Promise<Uint8Array> {
  const sink = new MemorySink();
  const writer = new ZipWriter(await sink.create('a.zip'), options);
  for (const [name, content, how] of files)
    await writer.add(name, content instanceof ByteHandle ? content : ByteHandle.of(content), how);
  await writer.finish();
  await sink.commit();
  return sink.files.get('a.zip')!;
}

describe('what is written', () => {
  const noise = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i * 31) >> 7);
  const files = [
    ['version', text('3\n')],
    ['data/0', noise],
    ['code/é漢.py', text('pass\n'.repeat(5000)), { compression: 'deflate' }],
    ['empty', text('')],
    ['empty too', text(''), { compression: 'deflate' }],
  ] as const;

  test('fflate reads', async () => {
    const bytes = await written(files);
    expect(unzipSync(bytes)).toEqual(
      Object.fromEntries(files.map(([name, content]) => [name, content])),
    );
    expect(bytes.length).toBeLessThan(noise.length + 2000);
  });

  test('is read again, with its sums', async () => {
    const source = memorySource('a.zip', new Map([['a.zip', await written(files)]]));
    const archive = await readZip(source);
    expect(archive.entries.map(({ name, compression }) => [name, compression])).toEqual(
      files.map(([name, , how]) => [name, how?.compression ?? 'stored']),
    );
    for (const [name, content] of files)
      expect(await (await archive.open(archive.get(name)!)).read()).toEqual(content);
  });

  test('equal content gives equal bytes', async () => {
    expect(await written(files)).toEqual(await written(files));
  });

  test.each([1, 4, 64, 4096])('stored data stands at multiples of %i', async (align) => {
    const many = Array.from({ length: 70 }, (_, i) => [`n${'x'.repeat(i)}`, text('.'.repeat(i))]);
    const bytes = await written(many as [string, Uint8Array][], { align });
    const archive = await readZip(memorySource('a.zip', new Map([['a.zip', bytes]])));
    for (const entry of archive.entries) {
      const handle = await archive.open(entry);
      if (entry.size > 0) expect(handle.origin.offset! % align).toBe(0);
    }
    expect(Object.keys(unzipSync(bytes))).toHaveLength(70);
  });
});

describe('what is refused', () => {
  test.each(['../evil', 'a/../../b', '/etc/passwd', 'C:\\x', '', 'a\0b', 'half\ud800'])(
    'the name %j',
    async (name) => {
      await expect(written([[name, text('x')]])).rejects.toEqual(failing('zip/name'));
    },
  );

  test('a name twice, or in another case', async () => {
    const twice = [
      ['Data', text('x')],
      ['data', text('y')],
    ] as const;
    await expect(written(twice)).rejects.toEqual(failing('core/duplicate'));
    expect(Object.keys(unzipSync(await written(twice, { names: 'keys' })))).toEqual([
      'Data',
      'data',
    ]);
    await expect(written([...twice, twice[0]], { names: 'keys' })).rejects.toEqual(
      failing('core/duplicate'),
    );
  });

  test('content of another size than it says', async () => {
    const wrong = ByteHandle.computed(4, async function* () {
      yield text('abc');
    });
    await expect(written([['a', wrong]])).rejects.toEqual(failing('core/content-size'));
    await expect(written([['a', wrong, { compression: 'deflate' }]])).rejects.toEqual(
      failing('core/content-size'),
    );
  });
});

describe('zip64', () => {
  const block = new Uint8Array(2 ** 22).fill(7);

  /** Keeps what is written but for whole blocks, of which it only notes the place. */
  function sparseFile() {
    const kept: { readonly at: number; readonly bytes: Uint8Array }[] = [];
    let size = 0;
    let longest = 0;
    const file = {
      write: async (bytes: Uint8Array) => {
        if (bytes.length < block.length) kept.push({ at: size, bytes: bytes.slice() });
        longest = Math.max(longest, bytes.length);
        size += bytes.length;
      },
      close: async () => {},
    };
    const source = (): Source => ({
      name: 'large.zip',
      size,
      read: async ({ offset, length } = { offset: 0, length: size }) => {
        const out = new Uint8Array(length).fill(7);
        for (const { at, bytes } of kept) {
          const from = Math.max(at, offset);
          const to = Math.min(at + bytes.length, offset + length);
          if (from < to) out.set(bytes.subarray(from - at, to - at), from - offset);
        }
        return out;
      },
      sibling: () => Promise.reject(new Error('alone')),
      siblings: async () => [],
    });
    return { file, source, longest: () => longest };
  }

  test('an entry and an archive above 4 GiB', async () => {
    const length = 2 ** 32 + block.length;
    const large = ByteHandle.computed(length, async function* () {
      for (let at = 0; at < length; at += block.length) yield block;
    });
    const { file, source, longest } = sparseFile();
    const writer = new ZipWriter(file, { align: 64 });
    await writer.add('large', large);
    await writer.add('small', ByteHandle.of(text('after it')));
    await writer.finish();
    expect(longest()).toBe(block.length);

    const archive = await readZip(source());
    const entries = archive.entries.map(({ name, size, compressedSize }) => [
      name,
      size,
      compressedSize,
    ]);
    expect(entries).toEqual([
      ['large', length, length],
      ['small', 8, 8],
    ]);
    const small = await archive.open(archive.get('small')!);
    expect(small.origin.offset).toBeGreaterThan(2 ** 32);
    expect(await small.read()).toEqual(text('after it'));
    const handle = await archive.open(archive.get('large')!);
    expect(handle.origin.offset! % 64).toBe(0);
    expect(await handle.slice(length - 2, 2).read()).toEqual(Uint8Array.of(7, 7));
  }, 180_000);

  test('more entries than 16 bits count', async () => {
    const { file, source } = sparseFile();
    const writer = new ZipWriter(file);
    for (let i = 0; i < 2 ** 16; i++) await writer.add(`${i}`, ByteHandle.of(new Uint8Array(0)));
    await writer.finish();
    const whole = ByteHandle.range(source());
    const bytes = new Uint8Array(whole.length);
    let at = 0;
    for await (const piece of whole.chunks()) {
      bytes.set(piece, at);
      at += piece.length;
    }
    const archive = await readZip(memorySource('a.zip', new Map([['a.zip', bytes]])));
    expect([archive.entries.length, archive.entries.at(-1)!.name]).toEqual([2 ** 16, '65535']);
  }, 180_000);
});
