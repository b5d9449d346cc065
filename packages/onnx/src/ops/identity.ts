import { ops, type Value } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import { dataTypeOf, dtypeOf } from '../codec/data-type.js';
import { int } from '../vocabulary/attribute.js';
import { Compose } from '../vocabulary/compose.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { always, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/** Core's conversions to 8-bit floats saturate, as ONNX's do unless told otherwise. */
function checkSaturation(node: SourceNode, to: Value['dtype']): void {
  if (node.int('saturate', 1) === 0 && to.startsWith('float8'))
    throw node.unsupported('its result overflows to infinity or NaN (saturate=0)');
  if (node.text('round_mode', 'up') !== 'up' && to === 'float8e8m0fnu')
    throw node.unsupported('it does not round up');
}

const readCast: ToCore = (node) => {
  const to = dtypeOf(node.int('to'));
  if (!to) throw node.unsupported('its target type is unknown');
  checkSaturation(node, to);
  const x = node.input(0);
  return x.dtype === to ? x : node.graph.add(ops.Cast, { x }, { to }, node.options).y;
};

const toCore = {
  Cast: always(readCast),
  CastLike: always((node) => {
    const { dtype } = node.input(1);
    checkSaturation(node, dtype);
    return new Compose(node).cast(node.input(0), dtype);
  }),
  Dropout: always((node) => {
    node.ignore('ratio', 'seed', 'is_test');
    const training = node.optional(2);
    if (training && !(training.constant?.peek()?.data[0] === 0))
      throw node.unsupported('it is in training mode, or may be');
    const x = node.input(0);
    if (!node.hasOutput(1)) return x;
    const shape = node.graph.add(ops.Shape, { x }, {}, node.step('shape')).y;
    return [
      x,
      node.graph.add(
        ops.Expand,
        { x: node.graph.literal('bool', [], [true]), shape },
        { shape: null },
        node.step('mask'),
      ).y,
    ];
  }),
  Identity: always((node) => node.operand(0)),
} satisfies ReadRules;

const fromCore = {
  Cast: (node, writer) =>
    writer.node('Cast', node.inputs, { to: int(dataTypeOf(node.attrs.to)) }, node.outputs),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that pass values on or only change their type, both directions. */
export const identity = { toCore, fromCore };
