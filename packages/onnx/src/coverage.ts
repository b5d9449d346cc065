import type { Coverage } from '@drover/core/format';
import { withoutForm } from './ops/without-form.js';
import { readRules, writeRules } from './rules.js';

const listed = [...readRules.keys()];
const foreign = new Set(Object.keys(withoutForm.toCore));

/** Operators of ONNX and of onnxruntime's own domains. */
export const coverage: Coverage = {
  listed,
  read: listed.filter((name) => !foreign.has(name)),
  written: writeRules,
};
