import { zipSync } from 'fflate';
import {
  ByteHandle,
  memorySource,
  tensor,
  Weight,
  type ByteRange,
  type Source,
  type Tensor,
} from '@drover/core';
import { npyOf } from './npy.js';
import { encodeNpz, openArrays, readArrays, writeNpz } from './npz.js';

/**
 * Written by NumPy 2.4.6: savez_compressed(x=arange(20, dtype='<i2'), **{'arg:w': ones((2, 2),
 * '<f8')}), with zip64 local headers.
 */
const compressed =
  'UEsDBC0AAAAIAAAAIQCYGtKb//////////8FABQAeC5ucHkBABAAqAAAAAAAAABtAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TaaSuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkYGOpo6CrUK5AMuBgZGBiYGZgYWBlYGNgZ2Bg4GTgYuBm4GHgZeBj4GfgYBBkEGIQZhBgBQSwMELQAAAAgAAAAhAGbl+x7//////////wkAFABhcmc6dy5ucHkBABAAoAAAAAAAAABNAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CkaaOgq1CmQDLgYw+GCPiwYAUEsBAi0DLQAAAAgAAAAhAJga0pttAAAAqAAAAAUAAAAAAAAAAAAAAIABAAAAAHgubnB5UEsBAi0DLQAAAAgAAAAhAGbl+x5NAAAAoAAAAAkAAAAAAAAAAAAAAIABpAAAAGFyZzp3Lm5weVBLBQYAAAAAAgACAGoAAAAsAQAAAAA=';

const sourceOf = (bytes: Uint8Array) => memorySource('a.npz', new Map([['a.npz', bytes]]));
const read = (bytes: Uint8Array) => readArrays(sourceOf(bytes));
const npy = async (value: Tensor) => (await npyOf(Weight.from(value))).read();
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

  it('reads a .npy file as the array of its name', async () => {
    const bytes = await npy(tensor('int8', [2], [-1, 5]));
    const source = memorySource('in/dense.kernel.npy', new Map([['in/dense.kernel.npy', bytes]]));
    expect([...(await readArrays(source))]).toEqual([
      ['dense.kernel', { dtype: 'int8', shape: [2], data: Float64Array.of(-1, 5) }],
    ]);
  });

  it('refuses every cut and notices every changed byte of the data', async () => {
    const whole = await small();
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

  it('refuses names that climb, and what is no array', async () => {
    const bytes = await npy(tensor('bool', [], [true]));
    await expect(read(zipSync({ '../../evil.npy': bytes }))).rejects.toEqual(failing('zip/name'));
    await expect(read(zipSync({ 'a.txt': bytes }))).rejects.toEqual(failing('numpy/format'));
    await expect(encodeNpz(new Map([['../a', tensor('bool', [], [true])]]))).rejects.toEqual(
      failing('zip/name'),
    );
  });

  it('keeps names that only look like paths, and __proto__', async () => {
    const names = ['/encoder/out', 'W', 'w', '__proto__', 'constructor', 'a:0'];
    const arrays = await read(
      await encodeNpz(new Map(names.map((name, i) => [name, tensor('int32', [], [i])]))),
    );
    expect([...arrays].map(([name, t]) => [name, t.data[0]])).toEqual(
      names.map((name, i) => [name, i]),
    );
    expect(({} as Record<string, unknown>)['data']).toBeUndefined();
  });

  it('refuses a bomb by its ratio, unless the caller trusts it', async () => {
    const zeros = zipSync({
      'z.npy': [await npy(tensor('uint8', [3_000_000], new Uint8Array(3_000_000))), { level: 9 }],
    });
    await expect(read(zeros)).rejects.toEqual(failing('core/limit'));
    const arrays = await readArrays(sourceOf(zeros), { maxRatio: 2000 });
    expect(arrays.get('z')!.shape).toEqual([3_000_000]);
  });

  it.each([
    new Uint8Array(0),
    new Uint8Array(1000),
    new TextEncoder().encode('{"format":"graph-model"}'),
  ])('refuses what is no archive', async (bytes) => {
    await expect(read(bytes)).rejects.toEqual(failing('zip/format'));
  });
});

describe('openArrays', () => {
  it('leaves numbers in the file, and reads a slice of them alone', async () => {
    const bytes = await encodeNpz(
      new Map([['w', tensor('float32', [1000, 100], new Float64Array(100_000).fill(3))]]),
    );
    const reads: number[] = [];
    const inner = sourceOf(bytes);
    const source: Source = {
      ...inner,
      read: (range?: ByteRange) => (reads.push(range!.length), inner.read(range)),
    };
    const weight = (await openArrays(source)).get('w')!;
    expect([weight.dtype, weight.shape, weight.name]).toEqual(['float32', [1000, 100], 'w']);
    expect(Math.max(...reads.splice(0))).toBeLessThanOrEqual(66_000);
    expect((await weight.slice(0, 500, 1).tensor()).data[99]).toBe(3);
    expect(reads.splice(0)).toEqual([400]);
    const damaged = patched(bytes, weight.handle.origin.offset! + 5, [1]);
    const whole = (await openArrays(sourceOf(damaged))).get('w')!;
    await expect(whole.bytes()).rejects.toEqual(failing('zip/checksum'));
  });
});

describe('writeNpz', () => {
  it('gives equal bytes for equal arrays, in the order given', async () => {
    expect(await small()).toEqual(await small());
    const first = (await small()).subarray(30, 35);
    expect([...first]).toEqual([...new TextEncoder().encode('a.npy')]);
  });

  it('passes arrays on in pieces', async () => {
    const row = new Uint8Array(2 ** 20);
    const length = 2 ** 28;
    const content = ByteHandle.computed(length, async function* () {
      for (let at = 0; at < length; at += row.length) yield row;
    });
    let written = 0;
    let longest = 0;
    const file = {
      write: async (bytes: Uint8Array) => {
        written += bytes.length;
        longest = Math.max(longest, bytes.length);
      },
      close: async () => {},
    };
    const weight = Weight.stored('float32', [length / 4], 'w', content);
    await writeNpz(file, new Map([['w', await npyOf(weight)]]));
    expect(longest).toBe(2 ** 20);
    expect(written - length).toBeLessThan(1000);
  });
});
