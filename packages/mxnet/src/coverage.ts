import type { Coverage } from '@drover/core/format';
import { readRules, writeRules } from './rules.js';
import { ops } from './schema/ops.js';

/** Operators of MXNet 1.9.1. */
export const coverage: Coverage = {
  listed: Object.keys(ops),
  read: [...readRules.keys()],
  written: writeRules,
};
