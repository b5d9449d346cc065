import { ops, type Node, type Value } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import { binary, cast, truth, unary, type BinaryOp } from '../vocabulary/build.js';
import { heldType, type GraphWriter, type Operand } from '../vocabulary/graph-writer.js';
import {
  both,
  combine,
  legacyNames,
  ofNumpyScalar,
  pairwise,
  promoted,
  type Compose,
  type Names,
} from '../vocabulary/operand-pair.js';
import { writePlain, type ReadRules, type ToCore } from '../vocabulary/rule.js';

/** A comparison; the legacy operators give 0 and 1 in the type of their operands. */
const comparing =
  (op: BinaryOp, isNegated = false): Compose =>
  (node, a, b) => {
    const y = binary(node, op, a, b, 'compare');
    return cast(node, isNegated ? unary(node, ops.Not, y, 'not') : y, a.dtype);
  };

const logical =
  (op: BinaryOp): Compose =>
  (node, a, b) =>
    cast(node, binary(node, op, truth(node, a, 'a'), truth(node, b, 'b'), 'logic'), a.dtype);

/** A condition of one dimension selects rows of what has more. */
const readWhere: ToCore = (node) => {
  const [given, x, y] = [node.input(0), node.input(1), node.input(2)];
  let condition = truth(node, given, 'condition');
  if (node.type === 'where' && condition.rank === 1 && (x.rank ?? 1) > 1) {
    const axes = Array.from({ length: x.rank! - 1 }, (_, i) => i + 1);
    condition = node.graph.add(ops.Unsqueeze, { x: condition }, { axes }, node.step('rows')).y;
  }
  const [a, b] = promoted(node, x, y);
  return node.graph.add(ops.Where, { condition, x: a, y: b }, {}, node.options).y;
};

const numpyComparing =
  (op: BinaryOp, isNegated = false): ToCore =>
  (node) => {
    const [a, b] = promoted(node, node.input(0), node.input(1));
    const y = binary(node, op, a, b, isNegated ? 'compare' : undefined);
    return isNegated ? unary(node, ops.Not, y) : y;
  };

/** Comparisons give 0 and 1 in the type of their operands; truth is held in float32. */
const writeComparison =
  (names: Names) =>
  (node: Node, writer: GraphWriter): void => {
    const [a, b] = node.inputs as [Value, Value];
    const { op, inputs, attributes } = combine(writer, names, a, b);
    if (heldType(a.dtype) === 'float32') return writer.node(op, inputs, attributes, node.outputs);
    writer.node('Cast', [writer.step(op, inputs, attributes)], { dtype: 'float32' }, node.outputs);
  };

const noBits = gap('MXNet 1.9 has no operators on bits of its legacy arrays');

const toCore = {
  ...legacyNames('equal', comparing(ops.Equal)),
  ...legacyNames('not_equal', comparing(ops.Equal, true)),
  ...legacyNames('greater', comparing(ops.Greater)),
  ...legacyNames('greater_equal', comparing(ops.GreaterOrEqual)),
  ...legacyNames('lesser', comparing(ops.Less)),
  ...legacyNames('lesser_equal', comparing(ops.LessOrEqual)),
  ...legacyNames('logical_and', logical(ops.And)),
  ...legacyNames('logical_or', logical(ops.Or)),
  ...legacyNames('logical_xor', logical(ops.Xor)),
  logical_not: (node) =>
    cast(
      node,
      unary(node, ops.Not, truth(node, node.input(0), 'truth'), 'not'),
      node.input(0).dtype,
    ),
  where: readWhere,
  _npi_equal: numpyComparing(ops.Equal),
  _npi_not_equal: numpyComparing(ops.Equal, true),
  _npi_greater: numpyComparing(ops.Greater),
  _npi_greater_equal: numpyComparing(ops.GreaterOrEqual),
  _npi_less: numpyComparing(ops.Less),
  _npi_less_equal: numpyComparing(ops.LessOrEqual),
  _npi_logical_not: (node) => unary(node, ops.Not, truth(node, node.input(0), 'truth')),
  _npi_where: readWhere,
  _npi_equal_scalar: ofNumpyScalar(pairwise(ops.Equal)),
  _npi_not_equal_scalar: ofNumpyScalar((node, a, b) =>
    unary(node, ops.Not, binary(node, ops.Equal, a, b, 'equal')),
  ),
  _npi_greater_scalar: ofNumpyScalar(pairwise(ops.Greater)),
  _npi_greater_equal_scalar: ofNumpyScalar(pairwise(ops.GreaterOrEqual)),
  _npi_less_scalar: ofNumpyScalar(pairwise(ops.Less)),
  _npi_less_equal_scalar: ofNumpyScalar(pairwise(ops.LessOrEqual)),
} satisfies ReadRules;

const fromCore = {
  And: writePlain('broadcast_logical_and'),
  BitShift: noBits,
  BitwiseAnd: noBits,
  BitwiseNot: noBits,
  BitwiseOr: noBits,
  BitwiseXor: noBits,
  Equal: writeComparison(both('equal')),
  Greater: writeComparison(both('greater', 'lesser')),
  GreaterOrEqual: writeComparison(both('greater_equal', 'lesser_equal')),
  IsInf: (node, writer) => {
    const { x } = node.operands;
    const { positive, negative } = node.attrs;
    const of = (value: Operand, scalar: number) =>
      writer.cast(writer.step('_equal_scalar', [value], { scalar }), x.dtype, 'float32');
    if (positive && negative)
      return writer.node('_copy', [of(writer.step('abs', [x]), Infinity)], {}, node.outputs);
    if (!positive && !negative)
      return writer.node('zeros_like', [writer.cast(x, x.dtype, 'float32')], {}, node.outputs);
    writer.node('_copy', [of(x, positive ? Infinity : -Infinity)], {}, node.outputs);
  },
  IsNaN: (node, writer) => {
    const { x } = node.operands;
    if (x.dtype === 'float32') return writer.node('broadcast_not_equal', [x, x], {}, node.outputs);
    writer.node(
      'Cast',
      [writer.step('broadcast_not_equal', [x, x])],
      { dtype: 'float32' },
      node.outputs,
    );
  },
  Less: writeComparison(both('lesser', 'greater')),
  LessOrEqual: writeComparison(both('lesser_equal', 'greater_equal')),
  Not: writePlain('logical_not'),
  Or: writePlain('broadcast_logical_or'),
  Where: writePlain('_npi_where'),
  Xor: writePlain('broadcast_logical_xor'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Comparisons, logic and choices, legacy and in NumPy mode, both directions. */
export const comparison = { toCore, fromCore };
