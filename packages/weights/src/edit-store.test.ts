import { Report, TensorStore, tensor, Weight, type StoredTensor } from '@drover/core';
import { editStore } from './edit-store.js';

const stored = (name: string, values: readonly number[], aliases: string[] = []): StoredTensor => ({
  name,
  weight: Weight.from(tensor('float32', [values.length], values), name),
  role: 'parameter',
  aliases,
});
const store = new TensorStore([stored('a.w', [1, 2.5]), stored('b.w', [1 / 3], ['tied'])]);
const names = (each: TensorStore) => [...each].map(({ name, aliases }) => [name, ...aliases]);

it('keeps the tensors of some names, the first of a tied one being its name', async () => {
  expect(names(await editStore(store, { only: ['b.*', 'tied'] }, new Report()))).toEqual([
    ['b.w', 'tied'],
  ]);
  expect(names(await editStore(store, { only: ['tied'] }, new Report()))).toEqual([['tied']]);
  await expect(editStore(store, { only: ['c*'] }, new Report())).rejects.toThrow('weights/none');
});

it('renames, and refuses two of one name', async () => {
  const rename = new Map([['*.w', '*/kernel']]);
  expect(names(await editStore(store, { rename }, new Report()))).toEqual([
    ['a/kernel'],
    ['b/kernel', 'tied'],
  ]);
  const one = new Map([['*.w', 'w']]);
  await expect(editStore(store, { rename: one }, new Report())).rejects.toThrow('core/duplicate');
});

it('tells tensor by tensor how far a narrower type is off', async () => {
  const report = new Report();
  const edited = await editStore(store, { dtype: 'float16' }, report);
  expect([...edited].map(({ weight }) => weight.dtype)).toEqual(['float16', 'float16']);
  // 2.5 is exact; 1/3 in float32 lies 2^-14 * 4/3 from the nearest float16, 1365 * 2^-12.
  expect(report.diagnostics.map(({ message }) => message)).toEqual([
    expect.stringContaining(`differ by up to ${(Math.fround(1 / 3) - 1365 / 4096).toPrecision(3)}`),
  ]);
});
