import { attrOf } from './operator.js';
import { formatAttr, parseLiteral, type AttrValue } from './attr-value.js';

test.each<[string, AttrValue]>([
  ['(3, 3)', [3, 3]],
  ['[1,2,]', [1, 2]],
  ['(2L, 3L)', [2, 3]],
  ['()', []],
  ['(None, 1)', [null, 1]],
  [
    '((0, 1), (2, 3))',
    [
      [0, 1],
      [2, 3],
    ],
  ],
  ['9223372036854775807', 9223372036854775807n],
  ['1e-05', 0.00001],
  ['-inf', -Infinity],
  ['True', true],
  ['None', null],
  ['(\'a\', "b")', ['a', 'b']],
  ['float32', 'float32'],
])('%s is read', (text, value) => {
  expect(parseLiteral(text)).toEqual(value);
});

test.each(['(1', '1)', '(1 2', ')', "'a", '', '('.repeat(100_000)])(
  'text that is no value is none',
  (text) => {
    expect(parseLiteral(text)).toBeUndefined();
  },
);

// The right column is what Python 3.10 prints for the value.
test.each<[AttrValue, string]>([
  [[3, 3], '(3, 3)'],
  [[3], '(3,)'],
  [[], '()'],
  [0.00001, '1e-05'],
  [0.0001, '0.0001'],
  [1.5e16, '1.5e+16'],
  [1e22, '1e+22'],
  [1.25e-7, '1.25e-07'],
  [-0, '-0.0'],
  [Infinity, 'inf'],
  [[true, null], '(True, None)'],
])('%p is written as %s', (value, text) => {
  expect(formatAttr(value)).toBe(text);
  expect(parseLiteral(text)).toEqual(value);
});

const node = (op: string, attrs: Record<string, string>) => ({
  op,
  name: 'n',
  attrs: new Map(Object.entries(attrs)),
});

test('attributes have the declared type, the declared default, or are unknown', () => {
  const conv = node('Convolution', { kernel: '3', no_bias: '1', num_filter: '8', layout: 'None' });
  expect(attrOf(conv, 'kernel')).toEqual([3]);
  expect(attrOf(conv, 'no_bias')).toBe(true);
  expect(attrOf(conv, 'num_group')).toBe(1);
  expect(attrOf(conv, 'layout')).toBeNull();
  expect(attrOf(conv, '__proto__')).toBeUndefined();
  expect(attrOf(node('BatchNorm', {}), 'eps')).toBe(Math.fround(1e-3));
  expect(() => attrOf(node('Convolution', { num_filter: '8.5' }), 'num_filter')).toThrow(
    /num_filter/,
  );
});
