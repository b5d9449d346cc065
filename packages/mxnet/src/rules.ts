import type { Node } from '@drover/core';
import { writeTable } from '@drover/core/format';
import { activation } from './ops/activation.js';
import { arithmetic } from './ops/arithmetic.js';
import { comparison } from './ops/comparison.js';
import { control } from './ops/control.js';
import { convolution } from './ops/convolution.js';
import { detection } from './ops/detection.js';
import { elementwise } from './ops/elementwise.js';
import { filling } from './ops/filling.js';
import { gather } from './ops/gather.js';
import { gridSample } from './ops/grid-sample.js';
import { identity } from './ops/identity.js';
import { linear } from './ops/linear.js';
import { movement } from './ops/movement.js';
import { normalisation } from './ops/normalisation.js';
import { ordering } from './ops/ordering.js';
import { pooling } from './ops/pooling.js';
import { quantisation } from './ops/quantisation.js';
import { recurrent } from './ops/recurrent.js';
import { reduction } from './ops/reduction.js';
import { resize } from './ops/resize.js';
import { scatter } from './ops/scatter.js';
import { sequence } from './ops/sequence.js';
import { shape } from './ops/shape.js';
import { slicing } from './ops/slicing.js';
import type { GraphWriter } from './vocabulary/graph-writer.js';
import type { KeepRules, ReadTable, ToCore } from './vocabulary/rule.js';

/** How each MXNet operator is read, by canonical name. */
export const readRules: ReadTable = new Map(
  Object.entries<ToCore>({
    ...activation.toCore,
    ...arithmetic.toCore,
    ...comparison.toCore,
    ...control.toCore,
    ...convolution.toCore,
    ...detection.toCore,
    ...elementwise.toCore,
    ...filling.toCore,
    ...gather.toCore,
    ...gridSample.toCore,
    ...identity.toCore,
    ...linear.toCore,
    ...movement.toCore,
    ...normalisation.toCore,
    ...ordering.toCore,
    ...pooling.toCore,
    ...recurrent.toCore,
    ...reduction.toCore,
    ...resize.toCore,
    ...scatter.toCore,
    ...sequence.toCore,
    ...shape.toCore,
    ...slicing.toCore,
  }),
);

/** How each core operator is written. */
export const writeRules = writeTable<GraphWriter>({
  ...activation.fromCore,
  ...arithmetic.fromCore,
  ...comparison.fromCore,
  ...control.fromCore,
  ...convolution.fromCore,
  ...detection.fromCore,
  ...elementwise.fromCore,
  ...filling.fromCore,
  ...gather.fromCore,
  ...gridSample.fromCore,
  ...identity.fromCore,
  ...linear.fromCore,
  ...movement.fromCore,
  ...normalisation.fromCore,
  ...ordering.fromCore,
  ...pooling.fromCore,
  ...quantisation.fromCore,
  ...recurrent.fromCore,
  ...reduction.fromCore,
  ...resize.fromCore,
  ...scatter.fromCore,
  ...sequence.fromCore,
  ...shape.fromCore,
  ...slicing.fromCore,
});

const keeps: ReadonlyMap<string, (node: Node) => boolean> = new Map(
  Object.entries({
    ...activation.keeps,
    ...control.keeps,
    ...detection.keeps,
    ...elementwise.keeps,
    ...linear.keeps,
    ...movement.keeps,
    ...normalisation.keeps,
    ...recurrent.keeps,
  } satisfies KeepRules),
);

/** Whether a composite is written as one operator. */
export function composites(node: Node): boolean {
  return keeps.get(node.op.name)?.(node) === true;
}
