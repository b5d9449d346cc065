import { add } from './add.js';
import { averagePool } from './average-pool.js';
import { convTranspose } from './conv-transpose.js';
import { conv } from './conv.js';
import { depthToSpace } from './depth-to-space.js';
import { exp } from './exp.js';
import { lpPool } from './lp-pool.js';
import { maxPool } from './max-pool.js';
import { reshape } from './reshape.js';
import { resize } from './resize.js';
import { softmax } from './softmax.js';
import { spaceToDepth } from './space-to-depth.js';
import { transpose } from './transpose.js';

/** The core set: every operator, by name. */
export const ops = {
  Add: add,
  AveragePool: averagePool,
  Conv: conv,
  ConvTranspose: convTranspose,
  DepthToSpace: depthToSpace,
  Exp: exp,
  LpPool: lpPool,
  MaxPool: maxPool,
  Reshape: reshape,
  Resize: resize,
  Softmax: softmax,
  SpaceToDepth: spaceToDepth,
  Transpose: transpose,
} as const;

/** Name of an operator of the core set. */
export type OpName = keyof typeof ops;
