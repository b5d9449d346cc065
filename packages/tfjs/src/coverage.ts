import type { Coverage } from '@drover/core/format';
import { readRules, structural, writeRules } from '@drover/graphdef';
import { ops } from './schema/ops.js';

/** Operators of TensorFlow.js 4.22. */
export const coverage: Coverage = {
  listed: Object.keys(ops),
  read: [...readRules.keys(), ...structural],
  written: writeRules,
};
