import { isFloat, ops, type DType } from '@drover/core';
import { valueOf, type WriteRules } from '@drover/core/format';
import { dataTypeOf } from '../codec/data-type.js';
import { int } from '../vocabulary/attribute.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { dimsOperand, shapeOperand } from '../vocabulary/integer-operand.js';
import { always, type ReadRules, type ToCore } from '../vocabulary/rule.js';

const readConstant: ToCore = (node) => {
  const { graph } = node;
  const name = node.outputName(0);
  const weight = node.tensor('value') ?? node.tensor('sparse_value');
  if (weight) return graph.constant(weight, name, valueOf(node.source.file, name));
  if (node.has('value_float'))
    return graph.literal('float32', [], [node.float('value_float')], name);
  if (node.has('value_int')) return graph.literal('int64', [], [node.exactInt('value_int')], name);
  const floats = node.floats('value_floats');
  if (floats) return graph.literal('float32', [floats.length], floats, name);
  const integers = node.exactInts('value_ints');
  if (integers) return graph.literal('int64', [integers.length], integers, name);
  if (node.has('value_string'))
    return graph.literal('string', [], [node.text('value_string')], name);
  const texts = node.texts('value_strings');
  if (texts) return graph.literal('string', [texts.length], texts, name);
  throw node.unsupported('it holds no value');
};

const readConstantOfShape: ToCore = (node) => {
  const shape = shapeOperand(node, 0);
  const given = node.tensor('value');
  const x = given
    ? node.graph.constant(given.reshape([]), `${node.name}/value`)
    : node.graph.literal('float32', [], [0]);
  return node.graph.add(ops.Expand, { x, shape }, { shape: null }, node.options).y;
};

const toCore = {
  Constant: always(readConstant),
  ConstantOfShape: always(readConstantOfShape),
  Expand: always(
    (node) =>
      node.graph.add(
        ops.Expand,
        { x: node.input(0), shape: shapeOperand(node, 1) },
        { shape: null },
        node.options,
      ).y,
  ),
  Range: always(
    (node) =>
      node.graph.add(
        ops.Range,
        { start: node.input(0), limit: node.input(1), delta: node.input(2) },
        {},
        node.options,
      ).y,
  ),
  Tile: always(
    (node) =>
      node.graph.add(
        ops.Tile,
        { x: node.input(0), repeats: node.input(1) },
        { repeats: null },
        node.options,
      ).y,
  ),
} satisfies ReadRules;

/** Element types of Range (version 11). */
const rangeTypes: readonly DType[] = ['float32', 'float64', 'int16', 'int32', 'int64'];

const fromCore = {
  Expand: (node, writer) =>
    writer.node(
      'Expand',
      [node.operands.x, dimsOperand(writer, node.attrs.shape, node.operands.shape)],
      {},
      node.outputs,
    ),
  Range: (node, writer) => {
    const { dtype } = node.outputs[0]!;
    if (rangeTypes.includes(dtype)) return writer.node('Range', node.inputs, {}, node.outputs);
    const wide = int(dataTypeOf(isFloat(dtype) ? 'float32' : 'int64'));
    const range = writer.step(
      'Range',
      node.inputs.map((operand) => writer.step('Cast', [operand], { to: wide })),
    );
    return writer.node('Cast', [range], { to: int(dataTypeOf(dtype)) }, node.outputs);
  },
  Tile: (node, writer) =>
    writer.node(
      'Tile',
      [node.operands.x, dimsOperand(writer, node.attrs.repeats, node.operands.repeats)],
      {},
      node.outputs,
    ),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Constants, and operators that repeat elements or fill shapes, both directions. */
export const filling = { toCore, fromCore };
