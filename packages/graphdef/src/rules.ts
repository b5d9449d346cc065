import type { Node } from '@drover/core';
import { writeTable } from '@drover/core/format';
import type { GraphWriter } from './vocabulary/graph-writer.js';
import { decomposed, type ReadTable, type ToCore } from './vocabulary/rule.js';
import { activation } from './ops/activation.js';
import { arithmetic } from './ops/arithmetic.js';
import { bitwise } from './ops/bitwise.js';
import { blocks } from './ops/blocks.js';
import { comparison } from './ops/comparison.js';
import { control } from './ops/control.js';
import { convolution } from './ops/convolution.js';
import { detection } from './ops/detection.js';
import { elementwise } from './ops/elementwise.js';
import { filling } from './ops/filling.js';
import { gather } from './ops/gather.js';
import { gridSample } from './ops/grid-sample.js';
import { identity } from './ops/identity.js';
import { joining } from './ops/joining.js';
import { linear } from './ops/linear.js';
import { movement } from './ops/movement.js';
import { normalisation } from './ops/normalisation.js';
import { padding } from './ops/padding.js';
import { pooling } from './ops/pooling.js';
import { quantisation } from './ops/quantisation.js';
import { reduction } from './ops/reduction.js';
import { resize } from './ops/resize.js';
import { scatter } from './ops/scatter.js';
import { sequence } from './ops/sequence.js';
import { shape } from './ops/shape.js';
import { slicing } from './ops/slicing.js';
import { tensorList } from './ops/tensor-list.js';

/** How each TensorFlow operator is read. */
export const readRules: ReadTable = new Map(
  Object.entries<ToCore>({
    ...activation.toCore,
    ...arithmetic.toCore,
    ...bitwise.toCore,
    ...blocks.toCore,
    ...comparison.toCore,
    ...control.toCore,
    ...convolution.toCore,
    ...detection.toCore,
    ...elementwise.toCore,
    ...filling.toCore,
    ...gather.toCore,
    ...identity.toCore,
    ...joining.toCore,
    ...linear.toCore,
    ...movement.toCore,
    ...normalisation.toCore,
    ...padding.toCore,
    ...pooling.toCore,
    ...quantisation.toCore,
    ...reduction.toCore,
    ...resize.toCore,
    ...scatter.toCore,
    ...sequence.toCore,
    ...shape.toCore,
    ...slicing.toCore,
    ...tensorList.toCore,
  }),
);

/** How each core operator is written. */
export const writeRules = writeTable<GraphWriter>({
  ...activation.fromCore,
  ...arithmetic.fromCore,
  ...bitwise.fromCore,
  ...blocks.fromCore,
  ...comparison.fromCore,
  ...control.fromCore,
  ...convolution.fromCore,
  ...detection.fromCore,
  ...elementwise.fromCore,
  ...filling.fromCore,
  ...gather.fromCore,
  ...gridSample.fromCore,
  ...identity.fromCore,
  ...joining.fromCore,
  ...linear.fromCore,
  ...movement.fromCore,
  ...normalisation.fromCore,
  ...padding.fromCore,
  ...pooling.fromCore,
  ...quantisation.fromCore,
  ...reduction.fromCore,
  ...resize.fromCore,
  ...scatter.fromCore,
  ...sequence.fromCore,
  ...shape.fromCore,
  ...slicing.fromCore,
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
