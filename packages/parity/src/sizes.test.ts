import type { InputSpec } from './input-spec.js';
import { chooseShapes, sizings } from './sizes.js';

it('tries primes, then different multiples of 32 for all but the batch', () => {
  const specs: InputSpec[] = [
    { name: 'image', dtype: 'float32', shape: ['batch', 3, 'height', 'width'] },
    { name: 'mask', dtype: 'float32', shape: [null, null, 'height'] },
  ];
  expect(sizings(specs).map((sizes) => chooseShapes(specs, sizes))).toEqual([
    [[2, 3, 7, 11], [5, 13, 7]], // prettier-ignore
    [[2, 3, 64, 96], [5, 128, 64]], // prettier-ignore
  ]);
});
