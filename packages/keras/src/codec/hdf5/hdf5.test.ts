import { ByteHandle } from '@drover/core';
import fc from 'fast-check';
import { boxesOf } from './boxes.js';
import { checksum } from './checksum.js';
import { openHdf5 } from './hdf5-file.js';
import { encodeHdf5, type NewDataset, type NewGroup } from './write-hdf5.js';

test.each([
  ['', 0xdeadbeef],
  ['Four score and seven years ago', 0x17770551],
])('the sum of %j is as lookup3 states it', (text, sum) => {
  expect(checksum(new TextEncoder().encode(text))).toBe(sum);
});

test('boxes hold the elements of a range in order, and none more than it may', () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 });
  fc.assert(
    fc.property(
      shapes,
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 1, max: 30 }),
      (shape, a, b, most) => {
        const size = shape.reduce((product, dim) => product * dim, 1);
        const [first, last] = [Math.min(a % size, b % size), Math.max(a % size, b % size) + 1];
        const found: number[] = [];
        for (const { start, count } of boxesOf(shape, first, last, most)) {
          const held = count.reduce((product, dim) => product * dim, 1);
          expect(held).toBeLessThanOrEqual(most);
          for (let i = 0; i < held; i++) {
            let [rest, flat, stride] = [i, 0, 1];
            for (let axis = shape.length - 1; axis >= 0; axis--) {
              flat += (start[axis]! + (rest % count[axis]!)) * stride;
              rest = Math.floor(rest / count[axis]!);
              stride *= shape[axis]!;
            }
            found.push(flat);
          }
        }
        expect(found).toEqual(Array.from({ length: last - first }, (_, i) => first + i));
      },
    ),
  );
});

test('what is written libhdf5 reads: groups, texts of any length, data in any place', async () => {
  const dataset = (bytes: Uint8Array): NewDataset => ({
    kind: 'dataset',
    dtype: 'uint8',
    shape: [bytes.length],
    bytes: ByteHandle.of(bytes),
    attributes: new Map([['name', 'weiß 💧']]),
  });
  const many = Array.from({ length: 3000 }, (_, i) => `layer ${i}`);
  const group = (members: NewGroup['members']): NewGroup => ({
    kind: 'group',
    attributes: new Map<string, string | readonly string[]>([
      ['long', 'x'.repeat(200_000)],
      ['many', many],
      ['none', []],
      ['blank', ['', 'a', '']],
    ]),
    members,
  });
  const data = Array.from({ length: 40 }, (_, i) => new Uint8Array(i * 7).fill(i));
  const inner = group(new Map(data.map((bytes, i) => [`${i}`, dataset(bytes)])));
  const bytes = encodeHdf5(group(new Map([['a b', inner]])));
  const again = encodeHdf5(group(new Map([['a b', inner]])));
  expect(Buffer.compare(await again.read(), await bytes.read())).toBe(0);
  const file = await openHdf5(bytes, 'f');
  for (const path of ['/', '/a b']) {
    expect(await file.attribute(path, 'long')).toHaveLength(200_000);
    expect(await file.attribute(path, 'many')).toEqual(many);
    expect(await file.attribute(path, 'none')).toEqual([]);
    expect(await file.attribute(path, 'blank')).toEqual(['', 'a', '']);
    expect(await file.attribute(path, 'other')).toBeUndefined();
  }
  expect((await file.links('/a b')).map(({ name }) => name)).toHaveLength(40);
  for (const [i, expected] of data.entries()) {
    const { bytes: stored, description } = await file.dataset(`/a b/${i}`);
    expect(description.shape).toEqual([expected.length]);
    expect(await stored.read()).toEqual(expected);
    expect(await file.attribute(`/a b/${i}`, 'name')).toBe('weiß 💧');
  }
});
