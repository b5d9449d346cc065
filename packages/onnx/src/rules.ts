import type { Node, OpName, WriteRules } from '@drover/core';
import type { GraphWriter } from './export/graph-writer.js';
import type { ReadRules } from './import/rule.js';
import { attention } from './ops/attention.js';
import { control } from './ops/control.js';
import { elementwise } from './ops/elementwise.js';
import { linear } from './ops/linear.js';
import { movement } from './ops/movement.js';
import { normalisation } from './ops/normalisation.js';
import { quantisation } from './ops/quantisation.js';
import { recurrent } from './ops/recurrent.js';
import { reduction } from './ops/reduction.js';
import { spatial } from './ops/spatial.js';

/** How each ONNX operator is read. */
export const readRules: ReadRules = {
  ...attention.toCore,
  ...control.toCore,
  ...elementwise.toCore,
  ...linear.toCore,
  ...movement.toCore,
  ...normalisation.toCore,
  ...quantisation.toCore,
  ...recurrent.toCore,
  ...reduction.toCore,
  ...spatial.toCore,
};

/** How each core operator is written. */
export const writeRules = {
  ...attention.fromCore,
  ...control.fromCore,
  ...elementwise.fromCore,
  ...linear.fromCore,
  ...movement.fromCore,
  ...normalisation.fromCore,
  ...quantisation.fromCore,
  ...recurrent.fromCore,
  ...reduction.fromCore,
  ...spatial.fromCore,
} satisfies WriteRules<GraphWriter>;

/** Operator set versions that can be written, and the IR version that goes with each (onnx/docs/Versioning.md). */
// prettier-ignore
export const irVersions: ReadonlyMap<number, number> = new Map([
  [13, 7], [14, 7], [15, 8], [16, 8], [17, 8], [18, 8], [19, 9], [20, 9], [21, 10], [22, 10], [23, 11],
]);

/** Composites that ONNX has as an operator, and since which version. Those that are not here, or come later than the version to write, are decomposed. */
const since: Partial<Record<OpName, number>> = {
  Attention: 23,
  BatchNormalization: 9,
  Celu: 12,
  DepthToSpace: 13,
  Gelu: 20,
  GroupNormalization: 21,
  HardSigmoid: 6,
  HardSwish: 14,
  InstanceNormalization: 6,
  LayerNormalization: 17,
  LRN: 1,
  LpNormalization: 1,
  GRU: 7,
  LSTM: 7,
  Mish: 18,
  PRelu: 7,
  RMSNormalization: 23,
  RNN: 7,
  ReduceL1: 1,
  ReduceL2: 1,
  ReduceLogSum: 1,
  ReduceLogSumExp: 1,
  ReduceSumSquare: 1,
  Selu: 6,
  Softsign: 1,
  SpaceToDepth: 1,
  ThresholdedRelu: 10,
};

/** Whether a composite is written as one operator. */
export function composites(node: Node, opset: number): boolean {
  const version = since[node.op.name as OpName];
  return version !== undefined && version <= opset;
}
