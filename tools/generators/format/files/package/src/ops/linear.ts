import { ops } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { writePlain, type ReadRules } from '../vocabulary/rule.js';

const toCore = {
  matmul: (node) =>
    node.graph.add(ops.MatMul, { a: node.input(0), b: node.input(1) }, {}, node.options).y,
} satisfies ReadRules;

const fromCore = {
  MatMul: writePlain('matmul'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Products of matrices. */
export const linear = { toCore, fromCore };
