import { tensor, type DType, type Signature } from '@drover/core';
import { matchArrays } from './match-arrays.js';

const declare = (name: string, dtype?: DType, shape?: Signature['shape']): Signature => ({
  name,
  dtype,
  shape,
});
const value = (dtype: DType, ...shape: number[]) =>
  tensor(dtype, shape, new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0));

/** Names of the values and the arrays that they take, and the codes of what was found. */
function matched(
  declared: readonly Signature[],
  arrays: Record<string, ReturnType<typeof value>>,
  side: 'in' | 'out' = 'in',
) {
  const { values, diagnostics } = matchArrays(
    declared,
    new Map(Object.entries(arrays)),
    side,
    'a.npz',
  );
  const taken = [...values].map(([name, array]) => [
    name,
    Object.keys(arrays).find((key) => arrays[key] === array),
  ]);
  return { taken: Object.fromEntries(taken), codes: diagnostics.map(({ code }) => code) };
}

it.each([
  ['its own name', 'x'],
  ['its name with the side before it', 'in_x'],
])('takes an array by %s', (_, name) => {
  expect(matched([declare('x:0')], { [name]: value('float32', 2) })).toEqual({
    taken: { 'x:0': name },
    codes: [],
  });
});

it('leaves the other side of an archive alone, unless a value has that name', () => {
  const arrays = { in_x: value('float32', 2), out_y: value('float32', 2) };
  expect(matched([declare('y')], arrays, 'out')).toEqual({ taken: { y: 'out_y' }, codes: [] });
  expect(matched([declare('out_y'), declare('x')], arrays)).toEqual({
    taken: { x: 'in_x', out_y: 'out_y' },
    codes: [],
  });
});

it('gives what is left to the first value that it fits, in the order of numbers, and says so', () => {
  const declared = [declare('ids', 'int64', ['n']), declare('image', 'float32', [null, 3])];
  const arrays = { b10: value('float32', 2, 3), b9: value('int64', 4), c: value('bool', 1) };
  expect(matched(declared, arrays)).toEqual({
    taken: { ids: 'b9', image: 'b10' },
    codes: ['parity/array-by-order', 'parity/array-by-order', 'parity/array-unused'],
  });
});

it('takes names that count for what they say', () => {
  const arrays = { in1: value('float32', 1), in0: value('float32', 1) };
  expect(matched([declare('a'), declare('b')], arrays)).toEqual({
    taken: { a: 'in0', b: 'in1' },
    codes: [],
  });
});

it('does not take text for numbers, nor floats for integers', () => {
  expect(matched([declare('ids', 'int64')], { a: value('float32', 1) }).taken).toEqual({});
  expect(matched([declare('words', 'string')], { a: value('float32', 1) }).taken).toEqual({});
});
