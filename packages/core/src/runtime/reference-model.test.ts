import { parseGraph } from '../graph/parse-text.js';
import { tensor } from '../tensor/tensor.js';
import { referenceModel } from './reference-model.js';

const model = referenceModel(
  parseGraph(`graph main(a: float32[n], b: float16[n]) {
  wide: float32[n] = Cast(b) {"to":"float32"}
  y: float32[n] = Add(a, wide)
  return sum = y, b
}
`),
  'm.text',
);

it('declares what the graph does', () => {
  expect(model.inputs).toEqual([
    { name: 'a', dtype: 'float32', shape: ['n'] },
    { name: 'b', dtype: 'float16', shape: ['n'] },
  ]);
  expect(model.outputs.map(({ name, dtype }) => [name, dtype])).toEqual([
    ['sum', 'float32'],
    ['b', 'float16'],
  ]);
});

it('takes inputs as other runtimes do, and rounds the results once', async () => {
  const results = await model.run(
    new Map([
      ['b', tensor('float64', [1], [0.1])],
      ['a', tensor('int32', [1], [1])],
    ]),
  );
  // The binary16 number nearest to 0.1 is 0x2e66, 1638 / 2^14; with 1 it is exact in binary32.
  expect(results).toEqual(
    new Map([
      ['sum', tensor('float32', [1], [1 + 1638 / 2 ** 14])],
      ['b', tensor('float16', [1], [1638 / 2 ** 14])],
    ]),
  );
});

it('refuses what does not fit', async () => {
  await expect(model.run(new Map())).rejects.toThrow('core/missing-input: The input "a"');
  const [a, b] = [tensor('float32', [1], [1]), tensor('float16', [2], [1, 2])];
  await expect(model.run(new Map([['a', a], ['b', b]]))).rejects.toThrow('core/input-shape'); // prettier-ignore
});
