import type { ReadRules } from './import/rule.js';
import { control } from './ops/control.js';
import { elementwise } from './ops/elementwise.js';
import { indexing } from './ops/indexing.js';
import { linear } from './ops/linear.js';
import { movement } from './ops/movement.js';
import { normalisation } from './ops/normalisation.js';
import { recurrent } from './ops/recurrent.js';
import { reduction } from './ops/reduction.js';
import { spatial } from './ops/spatial.js';

/** How each MXNet operator is read, by canonical name. */
export const readRules: ReadRules = {
  ...control.toCore,
  ...elementwise.toCore,
  ...indexing.toCore,
  ...linear.toCore,
  ...movement.toCore,
  ...normalisation.toCore,
  ...recurrent.toCore,
  ...reduction.toCore,
  ...spatial.toCore,
};
