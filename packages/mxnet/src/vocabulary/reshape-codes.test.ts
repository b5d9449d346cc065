import { mulDim, symbol, type Shape } from '@drover/core';
import { reshapeCodes, reshapeSteps } from './reshape-codes.js';

const [n, t] = [symbol('n'), symbol('t')];

// The codes of MXNet 1.9's Reshape (mx.sym.Reshape): 0 keeps, -1 is what remains, -3 joins two, -4
// splits one.
it.each<readonly [string, Shape, Shape, readonly number[] | undefined]>([
  ['known sizes stand as they are', [2, 3, 4], [6, 4], [6, 4]],
  ['a size at its place is kept', [n, t, 12], [n, t, 3, 4], [0, 0, -4, 3, 4]],
  ['two sizes are joined', [n, t, 12], [mulDim(n, t), 12], [-3, 0]],
  ['one size is split', [mulDim(n, 4), t], [n, 4, t], [-4, -1, 4, 0]],
  ['a 1 before a size is split off', [n, 2, 3], [1, n, 6], [-4, 1, -1, -3]],
  ['the size that remains', [n, 4, t], [n, mulDim(4, t)], [0, -3]],
  ['what lies at another place remains', [2, 3, n], [6, n], [-3, 0]],
  ['a size that is no neighbour remains', [n, 2, t], [2, mulDim(n, t)], [2, -1]],
  ['two sizes at other places cannot be said', [n, t], [t, n], undefined],
  ['a size of 0 is a code', [0, 3], [3, 0], undefined],
])('%s', (_, from, to, codes) => {
  expect(reshapeCodes(from, to)).toEqual(codes);
});

it.each<readonly [string, Shape, Shape, readonly (readonly number[])[] | undefined]>([
  ['one step where one does', [n, t, 12], [n, t, 3, 4], [[0, 0, -4, 3, 4]]],
  [
    'three neighbours are joined in two',
    [1, n, 3, t, 8],
    [mulDim(n, 3), t, 8],
    [
      [-3, 0, 0, 0],
      [-3, 0, 0],
    ],
  ],
  [
    'one size becomes three in two',
    [n, 32, t, t],
    [n, 8, 2, 2, t, t],
    [
      [0, -4, 16, 2, 0, 0],
      [0, -4, 8, 2, 0, 0, 0],
    ],
  ],
  ['two sizes at other places cannot be said', [n, t], [t, n], undefined],
])('%s', (_, from, to, steps) => {
  expect(reshapeSteps(from, to)).toEqual(steps);
});
