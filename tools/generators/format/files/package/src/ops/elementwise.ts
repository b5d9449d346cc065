import { ops } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { writePlain, type ReadRules } from '../vocabulary/rule.js';

const toCore = {
  add: (node) =>
    node.graph.add(ops.Add, { a: node.input(0), b: node.input(1) }, {}, node.options).y,
  multiply: (node) =>
    node.graph.add(ops.Mul, { a: node.input(0), b: node.input(1) }, {}, node.options).y,
  relu: (node) => node.graph.add(ops.Relu, { x: node.input(0) }, {}, node.options).y,
} satisfies ReadRules;

const fromCore = {
  Add: writePlain('add'),
  Mul: writePlain('multiply'),
  Relu: writePlain('relu'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** What is computed for each element. */
export const elementwise = { toCore, fromCore };
