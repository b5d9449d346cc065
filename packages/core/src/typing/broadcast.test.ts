import { addDim, maxDim, mulDim, symbol, type Shape } from '../tensor/dim.js';
import { broadcastShapes } from './broadcast.js';

const [n, m, open] = [symbol('n'), symbol('m'), symbol('?k')];

test.each<readonly [string, Shape, Shape, Shape | undefined]>([
  ['shapes are aligned at the end', [4, 1, 3], [5, 1], [4, 5, 3]],
  ['sizes that differ do not fit', [4, 3], [2, 3], undefined],
  ['either of two names may be 1', [n, 3], [m, 3], [maxDim(n, m), 3]],
  ['a name that may be 1 is repeated to a number', [n], [7], [7]],
  ['what cannot be 1 is the result', [n], [mulDim(m, 4)], [mulDim(m, 4)]],
  ['two that cannot be 1 are the same', [addDim(n, 1)], [mulDim(m, 4)], [addDim(n, 1)]],
  ['a size that depends on data may be anything', [open], [n], [maxDim(open, n)]],
])('%s', (_, a, b, expected) => {
  expect(broadcastShapes(a, b)).toEqual(expected);
});
