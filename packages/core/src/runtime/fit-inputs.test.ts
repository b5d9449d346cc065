import type { DType } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { fitInputs } from './fit-inputs.js';
import type { Signature } from './runtime.js';

const declare = (dtype: DType | undefined, shape?: Signature['shape']): Signature[] => [
  { name: 'x', dtype, shape },
];
const fit = (to: DType, value: ReturnType<typeof tensor>) =>
  fitInputs(declare(to), new Map([['x', value]]), 'm').get('x')!;
const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });

describe('fitInputs', () => {
  it('gives inputs in declared order, whatever the order they came in', () => {
    const signatures = [
      ...declare('int32'),
      { name: '1', dtype: undefined, shape: undefined },
      { name: '0', dtype: undefined, shape: undefined },
    ];
    const one = tensor('int32', [], [1]);
    const given = new Map([['0', one], ['x', one], ['1', one]]); // prettier-ignore
    expect([...fitInputs(signatures, given, 'm').keys()]).toEqual(['x', '1', '0']);
  });

  it.each([
    ['int64', 'int32', [2n ** 31n - 1n, -(2n ** 31n)], [2 ** 31 - 1, -(2 ** 31)]],
    ['int64', 'uint8', [0n, 255n], [0, 255]],
    ['float32', 'int64', [3, -4], [3n, -4n]],
    ['bool', 'float32', [true, false], [1, 0]],
    ['int32', 'float32', [2 ** 24, -7], [2 ** 24, -7]],
    // 0.1 as binary32 is 13421773 * 2^-27; 1e-50 is below its smallest subnormal.
    ['float64', 'float32', [0.1, 1e-50, Infinity, NaN], [13421773 / 2 ** 27, 0, Infinity, NaN]],
    ['float32', 'float64', [0.5], [0.5]],
    ['int32', 'bool', [0, 1], [0, 1]],
  ] as const)('casts %s to %s where the values stay the same', (from, to, values, expected) => {
    const fitted = fit(to, tensor(from, [values.length], values));
    expect(fitted.dtype).toBe(to);
    expect([...fitted.data]).toEqual(expected);
  });

  it.each([
    ['int64', 'int32', 2n ** 31n],
    ['int64', 'int32', -(2n ** 31n) - 1n],
    ['int64', 'uint64', -1n],
    ['float32', 'int64', 3.5],
    ['float32', 'int64', NaN],
    ['float32', 'int32', Infinity],
    ['int32', 'bool', 2],
    ['int64', 'float32', 2n ** 24n + 1n],
    ['int64', 'float64', 2n ** 53n + 1n],
    ['float64', 'float32', 1e39],
    ['string', 'float32', '1'],
    ['complex64', 'float32', undefined],
  ] as const)('refuses %s as %s for %s', (from, to, value) => {
    const given = value === undefined ? tensor(from, [1], [1, 0]) : tensor(from, [1], [value]);
    expect(() => fit(to, given)).toThrow(failing('core/input-type'));
  });

  it('tells missing and unknown inputs', () => {
    expect(() => fitInputs(declare('int32'), new Map(), 'm')).toThrow(
      failing('core/missing-input'),
    );
    const one = tensor('int32', [], [1]);
    // prettier-ignore
    expect(() => fitInputs(declare('int32'), new Map([['x', one], ['y', one]]), 'm')).toThrow(failing('core/unknown-input'));
  });

  it('checks the dimensions that are declared', () => {
    const given = new Map([['x', tensor('int32', [2, 3], [1, 2, 3, 4, 5, 6])]]);
    expect(fitInputs(declare('int32', ['batch', 3]), given, 'm').size).toBe(1);
    expect(fitInputs(declare('int32', [null, 3]), given, 'm').size).toBe(1);
    expect(() => fitInputs(declare('int32', [null, 4]), given, 'm')).toThrow(
      failing('core/input-shape'),
    );
    expect(() => fitInputs(declare('int32', [6]), given, 'm')).toThrow(failing('core/input-shape'));
  });
});
