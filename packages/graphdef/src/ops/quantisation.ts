import { gap, intRange, type Value, type WriteRules } from '@drover/core';
import type { GraphWriter, Operand, Ref } from '../export/graph-writer.js';

/** Scale or zero point in the rank of x: one for each index along an axis, or one for all. */
function parameter(writer: GraphWriter, value: Value, axis: number | null, rank: number): Ref {
  const wide = writer.cast(value, 'float32');
  if (axis === null || axis === rank - 1) return wide;
  return writer.step('Reshape', [wide, writer.ints(Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1)))]);
}

/** Quantisation in floats: codes are whole numbers in a target that computes them as int32. */
const fromCore = {
  DequantizeLinear: (node, writer) => {
    const { x, scale, zeroPoint } = node.operands;
    const { axis, blockSize } = node.attrs;
    if (x.rank === undefined || blockSize !== 0) return gap('it has a scale for each block');
    const codes: Operand = writer.cast(x, 'float32');
    const centred = zeroPoint ? writer.step('Sub', [codes, parameter(writer, zeroPoint, axis, x.rank)]) : codes;
    return writer.node('Mul', [centred, parameter(writer, scale, axis, x.rank)], {}, node.outputs);
  },
  QuantizeLinear: (node, writer) => {
    const { x, scale, zeroPoint } = node.operands;
    const { axis, blockSize, to } = node.attrs;
    const range = intRange(to);
    if (x.rank === undefined || blockSize !== 0 || !range) return gap('it has a scale for each block, or codes that are no integers');
    const rounded = writer.step('Round', [writer.step('RealDiv', [x, parameter(writer, scale, axis, x.rank)])]);
    const shifted = zeroPoint ? writer.step('AddV2', [rounded, parameter(writer, zeroPoint, axis, x.rank)]) : rounded;
    const raised = writer.step('Maximum', [shifted, writer.scalar(shifted, Number(range[0]))]);
    return writer.set(node.outputs[0]!, writer.cast(writer.step('Minimum', [raised, writer.scalar(raised, Number(range[1]))]), to));
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Quantised tensors, written only: TensorFlow's own quantised operators are not run by TensorFlow.js. */
export const quantisation = { fromCore };

