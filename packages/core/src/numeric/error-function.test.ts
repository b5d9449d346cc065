import { erf, erfc } from './error-function.js';

// mpmath 1.3 with 25 digits.
test.each([
  [-3, -0.9999779095030014, 1.9999779095030015],
  [-0.3, -0.3286267594591274, 1.3286267594591274],
  [1e-8, 1.1283791670955126e-8, 0.9999999887162083],
  [0.5, 0.5204998778130465, 0.4795001221869535],
  [1.5, 0.9661051464753108, 0.033894853524689274],
  [2.5, 0.999593047982555, 0.0004069520174449589],
  [5, 0.9999999999984626, 1.537459794428035e-12],
])('at %d to some units in the last place', (x, error, complement) => {
  expect(Math.abs(erf(x) / error - 1)).toBeLessThan(8 * 2 ** -53);
  expect(Math.abs(erfc(x) / complement - 1)).toBeLessThan(12 * 2 ** -53);
});

test('at the ends', () => {
  expect([erf(Infinity), erf(-Infinity), erfc(Infinity), erfc(-Infinity)]).toEqual([1, -1, 0, 2]);
  expect([erf(NaN), erfc(NaN)]).toEqual([NaN, NaN]);
  expect(erf(-0)).toBe(-0);
});
