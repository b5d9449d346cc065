import { add } from './add.js';
import { exp } from './exp.js';
import { reshape } from './reshape.js';
import { softmax } from './softmax.js';
import { transpose } from './transpose.js';

/** The core set: every operator, by name. */
export const ops = {
  Add: add,
  Exp: exp,
  Reshape: reshape,
  Softmax: softmax,
  Transpose: transpose,
} as const;

/** Name of an operator of the core set. */
export type OpName = keyof typeof ops;
