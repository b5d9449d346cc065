import type { Coverage } from '@drover/core/format';
import { coverage as graphdef } from '@drover/graphdef';
import { ops } from './schema/ops.js';

/** Operators of TensorFlow.js 4.22. */
export const coverage: Coverage = { ...graphdef, listed: Object.keys(ops) };
