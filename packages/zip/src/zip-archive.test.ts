import { zipSync } from 'fflate';
import { memorySource, type ByteRange, type Source } from '@drover/core';
import { readZip, type ReadZipOptions } from './index.js';

const text = (value: string) => new TextEncoder().encode(value);
const sourceOf = (bytes: Uint8Array) => memorySource('a.zip', new Map([['a.zip', bytes]]));
const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });
/** Everything in an archive, by name. */
async function readAll(source: Source, options?: ReadZipOptions) {
  const archive = await readZip(source, options);
  const contents = new Map<string, Uint8Array>();
  for (const entry of archive.entries)
    contents.set(entry.name, await (await archive.open(entry)).read());
  return contents;
}
const read = (bytes: Uint8Array, options?: ReadZipOptions) => readAll(sourceOf(bytes), options);

/** Two stored entries: the places of their fields are known. */
const stored = () =>
  zipSync({ 'a.bin': [text('first'), { level: 0 }], 'b.bin': [text('second'), { level: 0 }] });
/** A copy with the bytes at `offset` replaced. */
function patched(bytes: Uint8Array, offset: number, values: readonly number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, offset);
  return copy;
}
/** Offset of the nth record with this signature. */
function find(bytes: Uint8Array, signature: string, nth = 0): number {
  let at = -1;
  for (let i = 0; i <= nth; i++)
    at = Buffer.from(bytes).indexOf(`PK${signature}`, at + 1, 'latin1');
  return at;
}
const central = (bytes: Uint8Array, nth = 0) => find(bytes, '\x01\x02', nth);
const local = (bytes: Uint8Array, nth = 0) => find(bytes, '\x03\x04', nth);
const end = (bytes: Uint8Array) => find(bytes, '\x05\x06');
const u32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];
/** One entry under a name that fflate would not change. */
const named = (...names: string[]) =>
  zipSync(Object.fromEntries(names.map((name) => [name, text(name)])));

describe('what fflate writes is read', () => {
  const noise = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i * 31) >> 7);
  const files = { 'data/0': noise, 'data/text': text('text '.repeat(10_000)), empty: text('') };

  test.each([0, 6] as const)('at level %i', async (level) => {
    const source = sourceOf(zipSync(files, { level, comment: 'made by a test' } as object));
    const archive = await readZip(source);
    expect(archive.entries.map(({ name, size, compression }) => [name, size, compression])).toEqual(
      Object.entries(files).map(([name, bytes]) => [
        name,
        bytes.length,
        level === 0 ? 'stored' : 'deflate',
      ]),
    );
    expect(await readAll(source)).toEqual(new Map(Object.entries(files)));
    const handle = await archive.open(archive.get('data/0')!);
    expect(await handle.slice(150_000, 10).read()).toEqual(noise.subarray(150_000, 150_010));
    expect(archive.get('data/1')).toBeUndefined();
  });

  test('a stored entry is a range of the archive: nothing else is read of it', async () => {
    const bytes = zipSync({ 'data/0': noise }, { level: 0 });
    const inner = sourceOf(bytes);
    const reads: number[] = [];
    const source: Source = {
      ...inner,
      read: (range?: ByteRange) => (reads.push(range!.length), inner.read(range)),
    };
    const archive = await readZip(source);
    reads.splice(0);
    const handle = await archive.open(archive.get('data/0')!);
    expect(handle.origin).toEqual({ file: 'a.zip', offset: 36 });
    expect(await handle.read({ offset: 1000, length: 4 })).toEqual(noise.subarray(1000, 1004));
    expect(reads).toEqual([36, 4]);
  });

  test('a part of a deflated entry is inflated no further than it reaches', async () => {
    const bytes = zipSync({ z: [new Uint8Array(2 ** 23), { level: 9 }] });
    const archive = await readZip(sourceOf(bytes), { maxRatio: 2000 });
    const handle = await archive.open(archive.entries[0]!);
    for await (const piece of handle.slice(5, 3).chunks()) expect(piece).toHaveLength(3);
    expect(await handle.slice(2 ** 23 - 3, 3).read()).toEqual(new Uint8Array(3));
  });

  test('what fails while it is read from the source is told as it is', async () => {
    const bytes = zipSync({ z: noise });
    const inner = sourceOf(bytes);
    let isBroken = false;
    const source: Source = {
      ...inner,
      read: (range?: ByteRange) =>
        isBroken ? Promise.reject(new RangeError('gone')) : inner.read(range),
    };
    const archive = await readZip(source);
    const handle = await archive.open(archive.entries[0]!);
    isBroken = true;
    await expect(handle.read()).rejects.toThrow(new RangeError('gone'));
  });
});

describe('hostile archives', () => {
  it.each<[string, number, readonly number[], string]>([
    ['encrypted', 8, [1, 0], 'zip/unsupported'],
    ['strongly encrypted', 8, [0x41, 0], 'zip/unsupported'],
    ['compressed in an unknown way', 10, [99, 0], 'zip/unsupported'],
    ['a symbolic link', 41, [0xa0], 'zip/name'],
    ['of another CRC', 16, [0, 0, 0, 0], 'zip/checksum'],
    ['stored in two sizes', 24, [1, 0, 0, 0], 'zip/format'],
    ['named with NUL', 46, [0], 'zip/name'],
    ['named by what is no text', 46, [0xff], 'zip/name'],
    ['named like the other', 46, [0x62], 'core/duplicate'],
    ['named like the other but for its case', 46, [0x42], 'core/duplicate'],
    ['absolute', 46, [0x2f], 'zip/name'],
    ['on a drive', 46, [0x63, 0x3a], 'zip/name'],
    ['named with a backslash', 47, [0x5c], 'zip/name'],
    ['not the one of its header', 46, [0x7a], 'zip/format'],
    ['at a place outside the file', 42, [0, 0, 0, 0x7f], 'zip/overlap'],
    ['missing its zip64 size', 24, [255, 255, 255, 255], 'zip/format'],
    ['larger than the archive', 20, [...u32(1e6), ...u32(1e6)], 'zip/overlap'],
  ])('refuses an entry that is %s', async (_, field, values, code) => {
    const bytes = stored();
    await expect(read(patched(bytes, central(bytes) + field, values))).rejects.toEqual(
      failing(code),
    );
  });

  it.each([
    ['../../evil.txt', 'zip/name'],
    ['a/../../evil.txt', 'zip/name'],
    ['..\\evil.txt', 'zip/name'],
    ['/etc/passwd', 'zip/name'],
    ['C:/evil.txt', 'zip/name'],
    ['a\tb', 'zip/name'],
  ])('refuses the name %j', async (name, code) => {
    await expect(read(named(name))).rejects.toEqual(failing(code));
  });

  it('takes names for keys where the caller says so, and still lets none climb', async () => {
    const names = ['/encoder/out', 'W', 'w', 'a:0', 'constructor'];
    expect([...(await read(named(...names), { names: 'keys' })).keys()]).toEqual(names);
    for (const name of ['../a', 'a\\..\\b', 'a\0b'])
      await expect(read(named(name), { names: 'keys' })).rejects.toEqual(failing('zip/name'));
  });

  it('takes two spellings of one path for one', async () => {
    await expect(read(named('a/b', 'a//b'))).rejects.toEqual(failing('core/duplicate'));
    await expect(read(named('a/b', 'a/./b'))).rejects.toEqual(failing('core/duplicate'));
    await expect(read(named('\u00e9', 'e\u0301'))).rejects.toEqual(failing('core/duplicate'));
  });

  it('refuses entries that share bytes, wholly or in part', async () => {
    const bytes = stored();
    await expect(read(patched(bytes, central(bytes, 1) + 42, [0, 0, 0, 0]))).rejects.toEqual(
      failing('zip/overlap'),
    );
    const reaching = u32(local(bytes, 1));
    const lying = patched(bytes, central(bytes) + 20, [...reaching, ...reaching]);
    await expect(read(lying)).rejects.toEqual(failing('zip/overlap'));
    // The header takes more room than the directory tells.
    await expect(read(patched(bytes, local(bytes) + 28, [1, 0]))).rejects.toEqual(
      failing('zip/overlap'),
    );
  });

  it('refuses a bomb by its ratio', async () => {
    const bomb = zipSync({ z: [new Uint8Array(3_000_000), { level: 9 }] });
    await expect(read(bomb)).rejects.toEqual(failing('core/limit'));
    expect((await read(bomb, { maxRatio: 2000 })).get('z')).toHaveLength(3_000_000);
  });

  it('stops a bomb that lies about its size as soon as it is too long', async () => {
    const size = 2 ** 24;
    const bomb = zipSync({ z: [new Uint8Array(size), { level: 9 }] });
    const lying = patched(bomb, central(bomb) + 24, u32(1000));
    const archive = await readZip(sourceOf(lying));
    const handle = await archive.open(archive.entries[0]!);
    let given = 0;
    const walk = async () => {
      for await (const piece of handle.chunks()) given += piece.length;
    };
    await expect(walk()).rejects.toEqual(failing('zip/size'));
    expect(given).toBeLessThanOrEqual(1000);
  });

  it('finds an entry that inflates to less than it says, or not at all', async () => {
    const bytes = zipSync({ z: text('some text, some text, some text') });
    const longer = patched(bytes, central(bytes) + 24, [100, 0, 0, 0]);
    await expect(read(longer)).rejects.toEqual(failing('zip/size'));
    await expect(read(patched(bytes, local(bytes) + 31, [0xff, 0xff]))).rejects.toEqual(
      failing('zip/size'),
    );
  });

  it('refuses more entries than the limit, before it reads them', async () => {
    await expect(read(stored(), { maxEntries: 1 })).rejects.toEqual(failing('core/limit'));
  });

  it('refuses an archive in several files', async () => {
    const bytes = stored();
    await expect(read(patched(bytes, end(bytes) + 4, [1, 0]))).rejects.toEqual(
      failing('zip/unsupported'),
    );
  });

  /** The archive with a zip64 record of these values before its end. */
  function wide(count: bigint, size: bigint, offset: bigint): Uint8Array {
    const bytes = stored();
    const at = end(bytes);
    const extra = new DataView(new ArrayBuffer(76));
    extra.setUint32(0, 0x06064b50, true);
    extra.setBigUint64(4, 44n, true);
    extra.setBigUint64(24, count, true);
    extra.setBigUint64(32, count, true);
    extra.setBigUint64(40, size, true);
    extra.setBigUint64(48, offset, true);
    extra.setUint32(56, 0x07064b50, true);
    extra.setBigUint64(64, BigInt(at), true);
    extra.setUint32(72, 1, true);
    const tail = patched(bytes.subarray(at), 10, new Array<number>(10).fill(255));
    return new Uint8Array(
      Buffer.concat([bytes.subarray(0, at), new Uint8Array(extra.buffer), tail]),
    );
  }

  it('believes a zip64 end only where it fits', async () => {
    const bytes = stored();
    const [size, offset] = [BigInt(end(bytes) - central(bytes)), BigInt(central(bytes))];
    expect((await read(wide(2n, size, offset))).size).toBe(2);
    await expect(read(wide(3n, size, offset))).rejects.toEqual(failing('zip/format'));
    await expect(read(wide(2n, 2n ** 63n, offset))).rejects.toEqual(failing('zip/format'));
    await expect(read(wide(2n, size, 2n ** 64n - 1n))).rejects.toEqual(failing('zip/format'));
    await expect(read(wide(2n ** 40n, size, offset))).rejects.toEqual(failing('core/limit'));
    const whole = wide(2n, size, offset);
    await expect(read(patched(whole, end(whole) - 12, u32(0)))).rejects.toEqual(
      failing('zip/format'),
    );
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['zeros', new Uint8Array(1000)],
    ['JSON', text('{"format":"graph-model"}')],
  ])('refuses %s', async (_, bytes) => {
    await expect(read(bytes)).rejects.toEqual(failing('zip/format'));
  });

  it('gives findings for every cut and every flipped byte, and never other content', async () => {
    const files = { 'a.txt': text('a text that is long enough, long enough'), 'b.bin': text('b') };
    const whole = zipSync({ ...files, 'c.bin': [text('stored'), { level: 0 }] });
    const expected = new Map(Object.entries({ ...files, 'c.bin': text('stored') }));
    for (let length = 0; length < whole.length; length++)
      await expect(read(whole.subarray(0, length))).rejects.toHaveProperty('diagnostics');
    for (let at = 0; at < whole.length; at++)
      for (const mask of [0xff, 0x01, 0x20]) {
        const result = await read(patched(whole, at, [whole[at]! ^ mask])).catch(
          (error: unknown) => error,
        );
        if (!(result instanceof Map)) expect(result).toHaveProperty('diagnostics');
        else
          for (const [name, bytes] of result as Map<string, Uint8Array>)
            expect([name, bytes]).toEqual([name, expected.get(name)]);
      }
  });
});
