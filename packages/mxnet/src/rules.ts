import type { Node, OpName, WriteRules } from '@drover/core';
import type { GraphWriter } from './vocabulary/graph-writer.js';
import type { ReadRules } from './vocabulary/rule.js';
import { contrib } from './ops/contrib.js';
import { control } from './ops/control.js';
import { detection, isRoiAlign } from './ops/detection.js';
import { elementwise } from './ops/elementwise.js';
import { filling } from './ops/filling.js';
import { indexing } from './ops/indexing.js';
import { linear } from './ops/linear.js';
import { movement } from './ops/movement.js';
import { normalisation } from './ops/normalisation.js';
import { numpyElementwise } from './ops/numpy-elementwise.js';
import { recurrent } from './ops/recurrent.js';
import { reduction } from './ops/reduction.js';
import { spatial } from './ops/spatial.js';
import { isShort, writeControl } from './ops/write-control.js';
import { writeElementwise } from './ops/write-elementwise.js';
import { writeIndexing } from './ops/write-indexing.js';
import { writeLinear } from './ops/write-linear.js';
import { writeMovement } from './ops/write-movement.js';
import { writeNormalisation } from './ops/write-normalisation.js';
import { isFused, writeRecurrentLayers } from './ops/write-recurrent.js';
import { writeReduction } from './ops/write-reduction.js';
import { writeSpatial } from './ops/write-spatial.js';

/** How each MXNet operator is read, by canonical name. */
export const readRules: ReadRules = {
  ...contrib.toCore,
  ...control.toCore,
  ...detection.toCore,
  ...elementwise.toCore,
  ...filling.toCore,
  ...indexing.toCore,
  ...linear.toCore,
  ...movement.toCore,
  ...normalisation.toCore,
  ...numpyElementwise.toCore,
  ...recurrent.toCore,
  ...reduction.toCore,
  ...spatial.toCore,
};

/** How each core operator is written. */
export const writeRules = {
  ...writeControl,
  ...detection.fromCore,
  ...writeElementwise,
  ...writeIndexing,
  ...writeLinear,
  ...writeMovement,
  ...writeNormalisation,
  ...writeRecurrentLayers,
  ...writeReduction,
  ...writeSpatial,
} satisfies WriteRules<GraphWriter>;

const isConstant = (node: Node, ...operands: readonly number[]): boolean =>
  operands.every((i) => node.inputs[i]?.constant !== undefined);

/** A slope for each channel, which lies along axis 1. */
function isChannelSlope(node: Node): boolean {
  const [x, slope] = [node.inputs[0]!, node.inputs[1]!];
  const sizes = slope.constant?.shape;
  if (!sizes || x.rank === undefined || x.rank < 2) return false;
  const count = sizes.reduce((a, b) => a * b, 1);
  return count === 1
    ? sizes.length <= x.rank
    : sizes.length === x.rank - 1 && count === sizes[0] && count === x.shape?.[1];
}

/** Composites that MXNet has as an operator, and under which condition. */
const kept: Partial<Record<OpName, (node: Node) => boolean>> = {
  BatchNormalization: (node) => isConstant(node, 1, 2, 3, 4),
  DepthToSpace: (node) =>
    (node.attrs as { readonly mode: string }).mode === 'DCR' && node.inputs[0]!.rank === 4,
  Einsum: (node) => !/\./.test((node.attrs as { readonly equation: string }).equation),
  Expm1: () => true,
  GRU: isFused,
  Gelu: (node) => (node.attrs as { readonly approximate: string }).approximate === 'none',
  GroupNormalization: (node) => typeof node.inputs[0]!.shape?.[1] === 'number',
  HardSigmoid: () => true,
  InstanceNormalization: () => true,
  LRN: (node) => {
    const { size, axis } = node.attrs as { readonly size: number; readonly axis: number };
    return size % 2 === 1 && axis === 1 && node.inputs[0]!.rank === 4;
  },
  LSTM: isFused,
  LayerNormalization: (node) => {
    const x = node.inputs[0]!;
    return (
      x.rank !== undefined &&
      (node.attrs as { readonly axis: number }).axis === x.rank - 1 &&
      typeof x.shape!.at(-1) === 'number'
    );
  },
  Log1p: () => true,
  PRelu: isChannelSlope,
  RNN: isFused,
  RoiAlign: isRoiAlign,
  Scan: (node) => !isShort(node),
  Selu: (node) => {
    const { alpha, gamma } = node.attrs as { readonly alpha: number; readonly gamma: number };
    return (
      Math.abs(alpha - 1.6732632423543772) < 1e-6 && Math.abs(gamma - 1.0507009873554805) < 1e-6
    );
  },
  Softsign: () => true,
  SpaceToDepth: (node) => node.inputs[0]!.rank === 4,
};

/** Whether a composite is written as one operator. */
export function composites(node: Node): boolean {
  return kept[node.op.name as OpName]?.(node) === true;
}
