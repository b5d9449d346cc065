import { intRange, ops, toNumbers, type Value } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/**
 * Numbers rounded to the steps between two bounds, which are moved so that zero is a step
 * (tensorflow/core/kernels/fake_quant_ops_functor.h). The arithmetic stays in floats.
 */
function fakeQuantised(node: SourceNode, low: number, high: number): Value {
  const steps = 2 ** node.int('num_bits', 8) - 1;
  const least = node.bool('narrow_range', false) ? 1 : 0;
  const x = node.input(0);
  const scale = Math.fround((high - low) / (steps - least));
  if (!(scale > 0)) throw node.unsupported(`its bounds are ${low} and ${high}`);
  const zero = Math.min(Math.max(Math.round(least - low / scale), least), steps);
  const [bottom, top] = [(least - zero) * scale, (steps - zero) * scale];
  const { graph } = node;
  const clipped = graph.add(ops.Clip, { x }, { min: bottom, max: top }, node.step('clip')).y;
  const shifted = graph.add(
    ops.Sub,
    { a: clipped, b: node.scalar(x, bottom) },
    {},
    node.step('shift'),
  ).y;
  const counted = graph.add(
    ops.Div,
    { a: shifted, b: node.scalar(x, scale) },
    {},
    node.step('steps'),
  ).y;
  const rounded = graph.add(
    ops.Floor,
    { x: graph.add(ops.Add, { a: counted, b: node.scalar(x, 0.5) }, {}, node.step('half')).y },
    {},
    node.step('round'),
  ).y;
  const scaled = graph.add(
    ops.Mul,
    { a: rounded, b: node.scalar(x, scale) },
    {},
    node.step('scale'),
  ).y;
  return graph.add(ops.Add, { a: scaled, b: node.scalar(x, bottom) }, {}, node.options).y;
}

const readFakeQuant: ToCore = (node) => {
  const bound = (index: number) => toNumbers(node.constant(index))[0]!;
  return fakeQuantised(node, bound(1), bound(2));
};

const toCore = {
  FakeQuantWithMinMaxArgs: (node) =>
    fakeQuantised(node, node.float('min', -6), node.float('max', 6)),
  FakeQuantWithMinMaxVars: readFakeQuant,
} satisfies ReadRules;

/** Scale or zero point in the rank of x: one for each index along an axis, or one for all. */
function parameter(writer: GraphWriter, value: Value, axis: number | null, rank: number): Ref {
  const wide = writer.cast(value, 'float32');
  if (axis === null || axis === rank - 1) return wide;
  return writer.step('Reshape', [
    wide,
    writer.ints(Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1))),
  ]);
}

/** Quantisation in floats: codes are whole numbers in a target that computes them as int32. */
const fromCore = {
  DequantizeLinear: (node, writer) => {
    const { x, scale, zeroPoint } = node.operands;
    const { axis, blockSize } = node.attrs;
    if (x.rank === undefined || blockSize !== 0) return gap('it has a scale for each block');
    const codes: Operand = writer.cast(x, 'float32');
    const centred = zeroPoint
      ? writer.step('Sub', [codes, parameter(writer, zeroPoint, axis, x.rank)])
      : codes;
    return writer.node('Mul', [centred, parameter(writer, scale, axis, x.rank)], {}, node.outputs);
  },
  QuantizeLinear: (node, writer) => {
    const { x, scale, zeroPoint } = node.operands;
    const { axis, blockSize, to } = node.attrs;
    const range = intRange(to);
    if (x.rank === undefined || blockSize !== 0 || !range)
      return gap('it has a scale for each block, or codes that are no integers');
    const rounded = writer.step('Round', [
      writer.step('RealDiv', [x, parameter(writer, scale, axis, x.rank)]),
    ]);
    const shifted = zeroPoint
      ? writer.step('AddV2', [rounded, parameter(writer, zeroPoint, axis, x.rank)])
      : rounded;
    const raised = writer.step('Maximum', [shifted, writer.scalar(shifted, Number(range[0]))]);
    return writer.set(
      node.outputs[0]!,
      writer.cast(writer.step('Minimum', [raised, writer.scalar(raised, Number(range[1]))]), to),
    );
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Quantised tensors: read where TensorFlow quantises in floats, and written in floats. */
export const quantisation = { toCore, fromCore };
