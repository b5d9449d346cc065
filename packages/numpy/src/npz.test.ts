import { zipSync } from 'fflate';
import { memorySource, tensor, type Tensor } from '@drover/core';
import { encodeNpz, readArrays } from './npz.js';
import { encodeNpy } from './npy.js';
import type { ZipLimits } from './zip.js';

/**
 * Written by NumPy 2.4.6: savez_compressed(x=arange(20, dtype='<i2'), **{'arg:w': ones((2, 2),
 * '<f8')}), with zip64 local headers.
 */
const compressed =
  'UEsDBC0AAAAIAAAAIQCYGtKb//////////8FABQAeC5ucHkBABAAqAAAAAAAAABtAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TaaSuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkYGOpo6CrUK5AMuBgZGBiYGZgYWBlYGNgZ2Bg4GTgYuBm4GHgZeBj4GfgYBBkEGIQZhBgBQSwMELQAAAAgAAAAhAGbl+x7//////////wkAFABhcmc6dy5ucHkBABAAoAAAAAAAAABNAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CkaaOgq1CmQDLgYw+GCPiwYAUEsBAi0DLQAAAAgAAAAhAJga0pttAAAAqAAAAAUAAAAAAAAAAAAAAIABAAAAAHgubnB5UEsBAi0DLQAAAAgAAAAhAGbl+x5NAAAAoAAAAAkAAAAAAAAAAAAAAIABpAAAAGFyZzp3Lm5weVBLBQYAAAAAAgACAGoAAAAsAQAAAAA=';

const read = (bytes: Uint8Array, limits?: Partial<ZipLimits>) =>
  readArrays(memorySource('a.npz', new Map([['a.npz', bytes]])), limits);
const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });
const small = () =>
  encodeNpz(
    new Map([
      ['a', tensor('float32', [2], [1, 2])],
      ['b', tensor('int64', [], [7n])],
    ]),
  );
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

describe('readArrays', () => {
  it('reads what NumPy compressed', async () => {
    const arrays = await read(new Uint8Array(Buffer.from(compressed, 'base64')));
    expect([...arrays.keys()]).toEqual(['x', 'arg:w']);
    expect([...arrays.get('x')!.data]).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(arrays.get('arg:w')).toEqual({
      dtype: 'float64',
      shape: [2, 2],
      data: Float64Array.of(1, 1, 1, 1),
    });
  });

  it('reads a .npy file as arr_0', async () => {
    const arrays = await read(encodeNpy(tensor('int8', [2], [-1, 5])));
    expect([...arrays]).toEqual([
      ['arr_0', { dtype: 'int8', shape: [2], data: Float64Array.of(-1, 5) }],
    ]);
  });

  it('refuses every cut and notices every changed byte of the data', async () => {
    const whole = small();
    for (let length = 0; length < whole.length; length++) {
      await expect(read(whole.subarray(0, length))).rejects.toHaveProperty('diagnostics');
    }
    for (let at = 0; at < whole.length; at++) {
      const result = await read(patched(whole, at, [whole[at]! ^ 0x41])).catch(
        (error: unknown) => error,
      );
      if (!(result instanceof Map)) expect(result).toHaveProperty('diagnostics');
      else if (result.has('a') && result.has('b'))
        expect([...result.values()].map((t: Tensor) => [...t.data])).toEqual([[1, 2], [7n]]);
    }
  });

  it.each([
    ['encrypted', 8, [1, 0], 'numpy/unsupported'],
    ['compressed in an unknown way', 10, [99, 0], 'numpy/unsupported'],
    ['a symbolic link', 41, [0xa0], 'numpy/format'],
    ['of another CRC', 16, [0, 0, 0, 0], 'numpy/checksum'],
    ['stored in two sizes', 24, [1, 0, 0, 0], 'numpy/format'],
    ['named with NUL', 46, [0], 'numpy/format'],
    ['named like the other', 46, [0x62], 'core/duplicate'],
    ['at a place outside the file', 42, [0, 0, 0, 0x7f], 'numpy/format'],
    ['missing its zip64 size', 24, [255, 255, 255, 255], 'numpy/format'],
  ])('refuses an entry that is %s', async (_, field, values, code) => {
    const bytes = small();
    await expect(read(patched(bytes, central(bytes) + field, values))).rejects.toEqual(
      failing(code),
    );
  });

  it('refuses names that climb', async () => {
    const bytes = encodeNpz(new Map([['../../evil', tensor('bool', [], [true])]]));
    await expect(read(bytes)).rejects.toEqual(failing('numpy/format'));
  });

  it('keeps names that only look like paths, and __proto__', async () => {
    const names = ['/encoder/out', 'W', 'w', '__proto__', 'constructor', 'a:0'];
    const arrays = await read(
      encodeNpz(new Map(names.map((name, i) => [name, tensor('int32', [], [i])]))),
    );
    expect([...arrays].map(([name, t]) => [name, t.data[0]])).toEqual(
      names.map((name, i) => [name, i]),
    );
    expect(({} as Record<string, unknown>)['data']).toBeUndefined();
  });

  it('refuses entries that share bytes', async () => {
    const bytes = small();
    await expect(read(patched(bytes, central(bytes, 1) + 42, [0, 0, 0, 0]))).rejects.toEqual(
      failing('core/duplicate'),
    );
    const size = bytes.length - 22 - 92 - 10;
    const lying = patched(bytes, central(bytes) + 20, [size, 0, 0, 0, size, 0, 0, 0]);
    await expect(read(lying)).rejects.toHaveProperty('diagnostics');
  });

  it('refuses a bomb by its ratio, and a lying size before it costs memory', async () => {
    const zeros = zipSync({
      'z.npy': [encodeNpy(tensor('uint8', [3_000_000], new Uint8Array(3_000_000))), { level: 9 }],
    });
    await expect(read(zeros)).rejects.toEqual(failing('core/limit'));
    const arrays = await read(zeros, { maxRatio: 2000 });
    expect(arrays.get('z')!.shape).toEqual([3_000_000]);
    const lying = patched(zeros, central(zeros) + 24, [100, 0, 0, 0]);
    await expect(read(lying)).rejects.toEqual(failing('numpy/size'));
  });

  it('refuses more entries than the limit', async () => {
    await expect(read(small(), { maxEntries: 1 })).rejects.toEqual(failing('core/limit'));
  });

  it.each([
    new Uint8Array(0),
    new Uint8Array(1000),
    new TextEncoder().encode('{"format":"graph-model"}'),
  ])('refuses what is no archive', async (bytes) => {
    await expect(read(bytes)).rejects.toEqual(failing('numpy/format'));
  });
});

describe('encodeNpz', () => {
  it('gives equal bytes for equal arrays, in the order given', () => {
    expect(small()).toEqual(small());
    expect([...small().subarray(30, 35)]).toEqual([...new TextEncoder().encode('a.npy')]);
  });
});
