import type { Coverage } from '@drover/core/format';
import { readRules, structural, writeRules } from './rules.js';

/** Which of TensorFlow's operators are read, and how each core operator is written. */
export const coverage: Omit<Coverage, 'listed'> = {
  read: [...readRules.keys(), ...structural],
  written: writeRules,
};
