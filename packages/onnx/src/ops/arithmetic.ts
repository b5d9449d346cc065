import { isFloat, ops, type Value } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import { int } from '../vocabulary/attribute.js';
import { Compose, type BinaryOp } from '../vocabulary/compose.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { always, readBinary, writePlain, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/** Operators that take any number of operands: the sum, least or largest of all. */
function combineAll(node: SourceNode, op: BinaryOp): Value {
  const [first, ...rest] = node.inputs();
  if (!first) throw node.unsupported('it has no operands');
  return rest.reduce(
    (a, b, i) =>
      node.graph.add(op, { a, b }, {}, i === rest.length - 1 ? node.options : node.step(String(i)))
        .y,
    first,
  );
}

/**
 * Pow takes an exponent of another type from version 12 on; the result has the type of the base.
 */
const readPow: ToCore = (node) => {
  const [a, exponent] = [node.input(0), node.input(1)];
  const compose = new Compose(node);
  const b = compose.cast(exponent, a.dtype, 'cast');
  if (!isFloat(a.dtype) && isFloat(exponent.dtype)) {
    const wide = node.graph.add(
      ops.Pow,
      { a: compose.cast(a, exponent.dtype, 'cast'), b: exponent },
      {},
      node.step('pow'),
    ).y;
    return node.graph.add(ops.Cast, { x: wide }, { to: a.dtype }, node.options).y;
  }
  return node.graph.add(ops.Pow, { a, b }, {}, node.options).y;
};

const toCore = {
  Add: always(readBinary(ops.Add)),
  Div: always(readBinary(ops.Div)),
  Max: always((node) => combineAll(node, ops.Max)),
  Mean: always((node) => {
    const sum = combineAll(node, ops.Add);
    if (node.inputCount === 1) return sum;
    return node.graph.add(
      ops.Div,
      { a: sum, b: node.graph.literal(sum.dtype, [], [node.inputCount]) },
      {},
      node.options,
    ).y;
  }),
  Min: always((node) => combineAll(node, ops.Min)),
  Mod: always(
    (node) =>
      node.graph.add(
        ops.Mod,
        { a: node.input(0), b: node.input(1) },
        { sign: node.int('fmod', 0) === 1 ? 'dividend' : 'divisor' },
        node.options,
      ).y,
  ),
  Mul: always(readBinary(ops.Mul)),
  Pow: always(readPow),
  Sub: always(readBinary(ops.Sub)),
  Sum: always((node) => combineAll(node, ops.Add)),
} satisfies ReadRules;

const fromCore = {
  Add: writePlain('Add'),
  Div: writePlain('Div'),
  Max: writePlain('Max'),
  Min: writePlain('Min'),
  Mod: (node, writer) => {
    const { dtype } = node.operands.a;
    if (node.attrs.sign === 'dividend')
      return writer.node('Mod', node.inputs, { fmod: int(1) }, node.outputs);
    if (!isFloat(dtype)) return writer.node('Mod', node.inputs, {}, node.outputs);
    // ONNX has no float remainder with the sign of the divisor: a - b * floor(a / b).
    const { a, b } = node.operands;
    return writer.node(
      'Sub',
      [a, writer.step('Mul', [b, writer.step('Floor', [writer.step('Div', [a, b])])])],
      {},
      node.outputs,
    );
  },
  Mul: writePlain('Mul'),
  Pow: writePlain('Pow'),
  Sub: writePlain('Sub'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Arithmetic of two operands or more, both directions. */
export const arithmetic = { toCore, fromCore };
