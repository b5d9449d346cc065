import { ops, type Node, type OpName } from '@drover/core';
import { writeTable } from '@drover/core/format';
import type { GraphWriter } from './vocabulary/graph-writer.js';
import type { ReadRule, ReadTable } from './vocabulary/rule.js';
import { activation } from './ops/activation.js';
import { arithmetic } from './ops/arithmetic.js';
import { attention } from './ops/attention.js';
import { bitwise } from './ops/bitwise.js';
import { comparison } from './ops/comparison.js';
import { contrib } from './ops/contrib.js';
import { control } from './ops/control.js';
import { convolution } from './ops/convolution.js';
import { detection } from './ops/detection.js';
import { elementwise } from './ops/elementwise.js';
import { filling } from './ops/filling.js';
import { gridSample } from './ops/grid-sample.js';
import { identity } from './ops/identity.js';
import { indexing } from './ops/indexing.js';
import { integer } from './ops/integer.js';
import { linear } from './ops/linear.js';
import { movement } from './ops/movement.js';
import { normalisation } from './ops/normalisation.js';
import { pooling } from './ops/pooling.js';
import { quantisation } from './ops/quantisation.js';
import { recurrent } from './ops/recurrent.js';
import { reduction } from './ops/reduction.js';
import { resize } from './ops/resize.js';
import { selection } from './ops/selection.js';
import { sequence } from './ops/sequence.js';
import { shape } from './ops/shape.js';
import { signal } from './ops/signal.js';
import { slicing } from './ops/slicing.js';
import { withoutForm } from './ops/without-form.js';

/** How each ONNX operator is read. */
export const readRules: ReadTable = new Map(
  Object.entries<readonly ReadRule[]>({
    ...activation.toCore,
    ...arithmetic.toCore,
    ...attention.toCore,
    ...bitwise.toCore,
    ...comparison.toCore,
    ...contrib.toCore,
    ...control.toCore,
    ...convolution.toCore,
    ...detection.toCore,
    ...elementwise.toCore,
    ...filling.toCore,
    ...gridSample.toCore,
    ...identity.toCore,
    ...indexing.toCore,
    ...integer.toCore,
    ...linear.toCore,
    ...movement.toCore,
    ...normalisation.toCore,
    ...pooling.toCore,
    ...quantisation.toCore,
    ...recurrent.toCore,
    ...reduction.toCore,
    ...resize.toCore,
    ...selection.toCore,
    ...sequence.toCore,
    ...shape.toCore,
    ...signal.toCore,
    ...slicing.toCore,
    ...withoutForm.toCore,
  }),
);

/** How each core operator is written. */
export const writeRules = writeTable<GraphWriter>({
  ...activation.fromCore,
  ...arithmetic.fromCore,
  ...attention.fromCore,
  ...bitwise.fromCore,
  ...comparison.fromCore,
  ...control.fromCore,
  ...convolution.fromCore,
  ...detection.fromCore,
  ...elementwise.fromCore,
  ...filling.fromCore,
  ...gridSample.fromCore,
  ...identity.fromCore,
  ...indexing.fromCore,
  ...linear.fromCore,
  ...movement.fromCore,
  ...normalisation.fromCore,
  ...pooling.fromCore,
  ...quantisation.fromCore,
  ...recurrent.fromCore,
  ...reduction.fromCore,
  ...resize.fromCore,
  ...shape.fromCore,
  ...slicing.fromCore,
});

/**
 * Operator set versions that can be written, and the IR version that goes with each
 * (onnx/docs/Versioning.md).
 */
// prettier-ignore
export const irVersions: ReadonlyMap<number, number> = new Map([
  [13, 7], [14, 7], [15, 8], [16, 8], [17, 8], [18, 8], [19, 9], [20, 9], [21, 10], [22, 10],
  [23, 11],
]);

/** Operators that ONNX has only since a version later than the oldest that can be written. */
// prettier-ignore
const since: ReadonlyMap<string, number> = new Map(Object.entries({
  Attention: 23, BitwiseAnd: 18, BitwiseNot: 18, BitwiseOr: 18, BitwiseXor: 18, Gelu: 20,
  GridSample: 16, GroupNormalization: 21, HardSwish: 14, LayerNormalization: 17, Mish: 18,
  RMSNormalization: 23,
} satisfies Partial<Record<OpName, number>>));

/** Composites that ONNX has no operator for. */
const absent: readonly OpName[] = ['Atan2', 'Expm1', 'Log1p'];

/** The first version of the operator set that has an operator. */
export function writtenSince(node: Node): number {
  return since.get(node.op.name) ?? 1;
}

/** Widest window that is written as a sum of shifted copies. */
const maxShifts = 64;

/** Whether a composite is written as one operator. */
export function composites(node: Node, opset: number): boolean {
  // onnxruntime refuses windows of even size, and has Celu for float32 only, as the standard before
  // version 28.
  if (node.is(ops.LRN) && node.attrs.size % 2 === 0 && node.attrs.size <= maxShifts) return false;
  if (node.is(ops.Celu) && node.outputs[0]!.dtype !== 'float32') return false;
  // One form each: before version 16 only the older one.
  if (
    node.is(ops.RoiAlign) &&
    !(node.attrs.offset === 0 && node.attrs.atLeastOne) &&
    (node.attrs.offset !== 0.5 || node.attrs.atLeastOne || opset < 16)
  )
    return false;
  return !absent.some((name) => name === node.op.name) && writtenSince(node) <= opset;
}
