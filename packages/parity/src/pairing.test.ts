import { tensor } from '@drover/core';
import { pairValues, type Pairable } from './pairing.js';

const value = (name: string, values: number[], shape = [values.length]): Pairable => ({
  name,
  shape,
  value: tensor('float32', shape, values),
});

it('pairs by equal names first, whatever the shapes', () => {
  const first = [value('a', [1]), value('b', [2, 3])];
  expect(pairValues(first, [value('b', [1]), value('a', [2, 3])])).toEqual([
    { first: 'a', second: 'a', by: 'name' },
    { first: 'b', second: 'b', by: 'name' },
  ]);
});

it('knows names that stem from one', () => {
  const first = [value('model/head:0', [1]), value('model/tail:0', [2])];
  expect(pairValues(first, [value('tail', [1]), value('head', [2])])).toEqual([
    { first: 'model/head:0', second: 'head', by: 'origin' },
    { first: 'model/tail:0', second: 'tail', by: 'origin' },
  ]);
});

it('goes by a shape that one alone has, then by the nearest elements, then by place', () => {
  const first = [value('a', [1, 2]), value('b', [5, 6]), value('c', [9, 9, 9])];
  const second = [value('x', [9, 9, 9]), value('y', [5.001, 6]), value('z', [1, 2.001])];
  expect(pairValues(first, second)).toEqual([
    { first: 'a', second: 'z', by: 'value' },
    { first: 'b', second: 'y', by: 'value' },
    { first: 'c', second: 'x', by: 'shape' },
  ]);
  expect(pairValues([value('a', [1])], [value('x', [1, 2])])).toEqual([
    { first: 'a', second: 'x', by: 'place' },
  ]);
});

it('does as it is told before all else', () => {
  const all = [value('a', [1]), value('b', [2])];
  expect(pairValues(all, all, new Map([['a', 'b']]))).toEqual([
    { first: 'a', second: 'b', by: 'map' },
    { first: 'b', second: 'a', by: 'shape' },
  ]);
});

it('leaves out what has no other', () => {
  expect(pairValues([value('a', [1]), value('b', [2])], [value('a', [1])])).toEqual([
    { first: 'a', second: 'a', by: 'name' },
  ]);
});
