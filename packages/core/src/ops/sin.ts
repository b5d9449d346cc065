import { unary } from './families/unary.js';
import { ofElement } from './rounding.js';

/** Sine. */
export const sin = unary({
  name: 'Sin',
  summary: 'Sine of `x` in radians.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.sin(x[i]!);
  },
  rounding: ofElement(4),
  examples: [
    [0, 0],
    [Math.PI / 6, 0.5],
    [Math.PI / 2, 1],
  ],
});
