import type { Coverage } from '@drover/core/format';
import { readRules, writeRules } from './rules.js';

/** Operators of __title__. */
export const coverage: Coverage = {
  listed: [...readRules.keys()],
  read: [...readRules.keys()],
  written: writeRules,
};
