import { ops, type DType, type WriteRules } from '@drover/core';
import { dataTypeOf, dtypeOf } from '../codec/index.js';
import { int } from '../export/attribute.js';
import type { GraphWriter } from '../export/graph-writer.js';
import { always, type ReadRules } from '../import/rule.js';
import type { SourceNode } from '../import/source-node.js';
import { axisOf } from './movement.js';

/** The axis along which scales differ; null when there is one scale. */
function scaleAxis(node: SourceNode): number | null {
  const scale = node.input(1);
  const axis = node.int('axis', 1);
  const isSingle = scale.rank === 0 || (scale.rank === 1 && scale.shape![0] === 1);
  return isSingle ? null : axisOf(node, axis, node.input(0).rank);
}

const toCore = {
  DequantizeLinear: always((node) => {
    const attrs = { axis: scaleAxis(node), blockSize: node.int('block_size', 0) };
    return node.graph.add(ops.DequantizeLinear, { x: node.input(0), scale: node.input(1), zeroPoint: node.optional(2) }, attrs, node.options).y;
  }),
  QuantizeLinear: always((node) => {
    const zeroPoint = node.optional(2);
    const stated = node.int('output_dtype', 0);
    const to: DType | undefined = stated !== 0 ? dtypeOf(stated) : (zeroPoint?.dtype ?? 'uint8');
    if (!to) throw node.unsupported('its result type is unknown');
    node.ignore('precision');
    const attrs = { axis: scaleAxis(node), blockSize: node.int('block_size', 0), saturate: node.int('saturate', 1) === 1, to };
    return node.graph.add(ops.QuantizeLinear, { x: node.input(0), scale: node.input(1), zeroPoint }, attrs, node.options).y;
  }),
} satisfies ReadRules;

const fromCore = {
  DequantizeLinear: (node, writer) =>
    writer.node(
      'DequantizeLinear',
      node.inputs,
      { axis: node.attrs.axis === null ? undefined : int(node.attrs.axis), block_size: node.attrs.blockSize === 0 ? undefined : int(node.attrs.blockSize) },
      node.outputs,
    ),
  QuantizeLinear: (node, writer) => {
    const { axis, blockSize, saturate, to } = node.attrs;
    const attributes = {
      axis: axis === null ? undefined : int(axis),
      block_size: blockSize === 0 ? undefined : int(blockSize),
      saturate: saturate ? undefined : int(0),
      output_dtype: node.operands.zeroPoint ? undefined : int(dataTypeOf(to)),
    };
    writer.node('QuantizeLinear', node.inputs, attributes, node.outputs);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Quantisation, both directions. */
export const quantisation = { toCore, fromCore };
