import { isStatic, ops, type DType } from '@drover/core';
import { gap, type Gap, type WriteRules } from '@drover/core/format';
import { dataTypeOf, dtypeOf } from '../codec/data-type.js';
import { int } from '../vocabulary/attribute.js';
import { axisOf } from '../vocabulary/axis.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { Compose } from '../vocabulary/compose.js';
import { always, type ReadRules } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/** The axis along which scales differ; null when there is one scale. */
function scaleAxis(node: SourceNode): number | null {
  const scale = node.input(1);
  const axis = node.int('axis', 1);
  const isSingle = scale.rank === 0 || (scale.rank === 1 && scale.shape![0] === 1);
  return isSingle && node.int('block_size', 0) === 0
    ? null
    : axisOf(node, axis, node.input(0).rank);
}

const toCore = {
  DequantizeLinear: always((node) => {
    const attrs = { axis: scaleAxis(node), blockSize: node.int('block_size', 0) };
    const scale = node.input(1);
    const to = node.int('output_dtype', 0) === 0 ? scale.dtype : dtypeOf(node.int('output_dtype'));
    if (!to) throw node.unsupported('its result type is unknown');
    const isCast = to !== scale.dtype;
    const { y } = node.graph.add(
      ops.DequantizeLinear,
      { x: node.input(0), scale, zeroPoint: node.optional(2) },
      attrs,
      isCast ? node.step('real') : node.options,
    );
    return new Compose(node).cast(y, to);
  }),
  QuantizeLinear: always((node) => {
    const zeroPoint = node.optional(2);
    const stated = node.int('output_dtype', 0);
    const to: DType | undefined = stated !== 0 ? dtypeOf(stated) : (zeroPoint?.dtype ?? 'uint8');
    if (!to) throw node.unsupported('its result type is unknown');
    node.ignore('precision');
    const attrs = {
      axis: scaleAxis(node),
      blockSize: node.int('block_size', 0),
      saturate: node.int('saturate', 1) === 1,
      to,
    };
    return node.graph.add(
      ops.QuantizeLinear,
      { x: node.input(0), scale: node.input(1), zeroPoint },
      attrs,
      node.options,
    ).y;
  }),
} satisfies ReadRules;

/**
 * Code types that QuantizeLinear and DequantizeLinear had from the start; 8-bit floats came with
 * version 19, and the others with 21.
 */
const oldest: readonly DType[] = ['uint8', 'int8', 'int32'];

function tooOld(
  { opset }: GraphWriter,
  codes: DType,
  real: DType,
  blockSize: number,
): Gap | undefined {
  const since =
    blockSize !== 0 || !(oldest.includes(codes) || codes.startsWith('float8'))
      ? 21
      : codes.startsWith('float8') || real !== 'float32'
        ? 19
        : 13;
  return opset < since
    ? gap(
        `quantisation of ${real} to ${codes}${blockSize === 0 ? '' : ' in blocks'} needs operator set ${since}`,
      )
    : undefined;
}

/** Zero points of 0 for each scale. */
function zeros(writer: GraphWriter, to: DType, shape: readonly number[]): string {
  return writer.literal(to, shape, new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0));
}

const fromCore = {
  DequantizeLinear: (node, writer) => {
    const { x, scale } = node.operands;
    const { axis, blockSize } = node.attrs;
    const missing = tooOld(writer, x.dtype, scale.dtype, blockSize);
    if (missing) return missing;
    const attributes = {
      axis: axis === null ? undefined : int(axis),
      block_size: blockSize === 0 ? undefined : int(blockSize),
    };
    return writer.node('DequantizeLinear', node.inputs, attributes, node.outputs);
  },
  QuantizeLinear: (node, writer) => {
    const { axis, blockSize, saturate, to } = node.attrs;
    const { x, scale, zeroPoint } = node.operands;
    const missing = tooOld(writer, to, scale.dtype, blockSize);
    if (missing) return missing;
    // The result is of the zero point's type: before version 21 nothing else could tell it.
    const needsZero = !zeroPoint && writer.opset < 21 && to !== 'uint8';
    if (needsZero && !(scale.shape && isStatic(scale.shape)))
      return gap('the size of its scale is not known');
    const zero = needsZero ? zeros(writer, to, scale.shape as readonly number[]) : zeroPoint;
    const attributes = {
      axis: axis === null ? undefined : int(axis),
      block_size: blockSize === 0 ? undefined : int(blockSize),
      saturate: saturate ? undefined : int(0),
      output_dtype: zero || to === 'uint8' ? undefined : int(dataTypeOf(to)),
    };
    return writer.node('QuantizeLinear', [x, scale, zero], attributes, node.outputs);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Quantisation, both directions. */
export const quantisation = { toCore, fromCore };
