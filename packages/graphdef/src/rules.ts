import type { Node } from '@drover/core';
import { gap, writeTable } from '@drover/core/format';
import type { GraphWriter } from './vocabulary/graph-writer.js';
import type { ReadTable, ToCore } from './vocabulary/rule.js';
import { blocks } from './ops/blocks.js';
import { control } from './ops/control.js';
import { detection } from './ops/detection.js';
import { elementwise } from './ops/elementwise.js';
import { gridSample } from './ops/grid-sample.js';
import { indexing } from './ops/indexing.js';
import { linear } from './ops/linear.js';
import { movement } from './ops/movement.js';
import { normalisation } from './ops/normalisation.js';
import { pooling } from './ops/pooling.js';
import { quantisation } from './ops/quantisation.js';
import { reduction } from './ops/reduction.js';
import { resize } from './ops/resize.js';
import { slicing } from './ops/slicing.js';
import { spatial } from './ops/spatial.js';
import { tensorList } from './ops/tensor-list.js';

/** How each TensorFlow operator is read. */
export const readRules: ReadTable = new Map(
  Object.entries<ToCore>({
    ...blocks.toCore,
    ...control.toCore,
    ...detection.toCore,
    ...elementwise.toCore,
    ...indexing.toCore,
    ...linear.toCore,
    ...movement.toCore,
    ...normalisation.toCore,
    ...pooling.toCore,
    ...quantisation.toCore,
    ...reduction.toCore,
    ...resize.toCore,
    ...slicing.toCore,
    ...spatial.toCore,
    ...tensorList.toCore,
  }),
);

const decomposed = gap('it is written in simpler operators');

/** How each core operator is written. */
export const writeRules = writeTable<GraphWriter>({
  ...control.fromCore,
  ...detection.fromCore,
  ...elementwise.fromCore,
  ...gridSample.fromCore,
  ...indexing.fromCore,
  ...linear.fromCore,
  ...movement.fromCore,
  ...normalisation.fromCore,
  ...pooling.fromCore,
  ...quantisation.fromCore,
  ...reduction.fromCore,
  ...resize.fromCore,
  ...slicing.fromCore,
  ...spatial.fromCore,
  Attention: decomposed,
  GRU: decomposed,
  LSTM: decomposed,
  RNN: decomposed,
  RoiAlign: decomposed,
});

/** Operators that are read as the structure of a graph, by no rule of their own. */
export const structural: readonly string[] = [
  'Const',
  'Placeholder',
  'NoOp',
  'Enter',
  'Exit',
  'LoopCond',
  'Merge',
  'NextIteration',
  'Switch',
];

/** Operators that TensorFlow has in every form, though others can be written in simpler ones. */
const whole: ReadonlySet<string> = new Set([
  'Atan2',
  'BatchNormalization',
  'Expm1',
  'GroupNormalization',
  'InstanceNormalization',
  'Log1p',
  'LogSoftmax',
  'ReduceMean',
  'Selu',
  'Softmax',
]);

/** Whether a node that could be decomposed is written as it is, in a graph of any layout. */
export function keeps(node: Node): boolean {
  const { name } = node.op;
  if (whole.has(name)) return true;
  const x = node.inputs[0];
  const attrs = node.attrs as Readonly<Record<string, unknown>>;
  if (name === 'DepthToSpace' || name === 'SpaceToDepth') return x?.rank === 4;
  if (name === 'LRN')
    return (
      x?.rank === 4 &&
      (attrs['size'] as number) % 2 === 1 &&
      (attrs['axis'] === 1 || attrs['axis'] === 3)
    );
  return false;
}
