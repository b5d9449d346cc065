import type { Node, ops, Value } from '@drover/core';
import { gap, type Gap, type WriteRules } from '@drover/core/format';
import { heldType, type GraphWriter, type Operand } from '../vocabulary/graph-writer.js';
import { reshape } from '../vocabulary/reshape.js';

/** Scales and zero points of one axis, laid along it. */
function along(writer: GraphWriter, value: Value, axis: number | null, rank: number): Operand {
  if (axis === null || value.rank !== 1) return value;
  return reshape(
    writer,
    value,
    value.shape!,
    Array.from({ length: rank }, (_, i) => (i === axis ? value.shape![0]! : 1)),
  )!;
}

/** (x - zero point) * scale; in the type of the scale. */
function writeDequantize(node: Node<typeof ops.DequantizeLinear>, writer: GraphWriter): Gap | void {
  const { x, scale, zeroPoint } = node.operands;
  const { axis, blockSize } = node.attrs;
  if (blockSize !== 0) return gap('MXNet does not scale by blocks');
  if (x.rank === undefined) return gap('the rank of its operand is not known');
  const dtype = heldType(scale.dtype);
  const codes = writer.cast(x, x.dtype, dtype);
  const moved = zeroPoint
    ? writer.step('broadcast_sub', [
        codes,
        writer.cast(along(writer, zeroPoint, axis, x.rank), zeroPoint.dtype, dtype),
      ])
    : codes;
  writer.node('broadcast_mul', [moved, along(writer, scale, axis, x.rank)], {}, node.outputs);
}

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
};

/** Rounded to even, moved by the zero point and held within the type. */
function writeQuantize(node: Node<typeof ops.QuantizeLinear>, writer: GraphWriter): Gap | void {
  const { x, scale, zeroPoint } = node.operands;
  const { axis, blockSize, to } = node.attrs;
  const range = ranges[to];
  if (blockSize !== 0) return gap('MXNet does not scale by blocks');
  if (!range) return gap(`MXNet has no ${to}`);
  if (x.rank === undefined) return gap('the rank of its operand is not known');
  const from = writer.cast(x, x.dtype, scale.dtype);
  const rounded = writer.step('_npi_around', [
    writer.step('broadcast_div', [from, along(writer, scale, axis, x.rank)]),
  ]);
  const moved = zeroPoint
    ? writer.step('broadcast_add', [
        rounded,
        writer.cast(along(writer, zeroPoint, axis, x.rank), zeroPoint.dtype, scale.dtype),
      ])
    : rounded;
  writer.node(
    'Cast',
    [writer.step('clip', [moved], { a_min: range[0], a_max: range[1] })],
    { dtype: to },
    node.outputs,
  );
}

const fromCore = {
  DequantizeLinear: writeDequantize,
  QuantizeLinear: writeQuantize,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Quantised numbers, which MXNet reads and writes by other operators. */
export const quantisation = { fromCore };
