import type { DType, Node, ops } from '@drover/core';
import { gap, type Gap, type WriteRules } from '@drover/core/format';
import { cast } from '../vocabulary/build.js';
import { heldType, type GraphWriter } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';

const same: ToCore = (node) => node.input(0);

/** The operand as it is, by an operator whose attributes only concern training. */
const passed =
  (...attributes: readonly string[]): ToCore =>
  (node) => {
    node.ignore(...attributes);
    return node.input(0);
  };

const readCast: ToCore = (node) => cast(node, node.input(0), node.dtype('dtype'));

/** Element types that MXNet's casts know. */
const castable: ReadonlySet<DType> = new Set([
  'float16',
  'float32',
  'float64',
  'int8',
  'uint8',
  'int32',
  'int64',
  'bool',
]);

function writeCast(node: Node<typeof ops.Cast>, writer: GraphWriter): Gap | void {
  const { x } = node.operands;
  const { to } = node.attrs;
  if (![x.dtype, to].every((dtype) => castable.has(dtype)))
    return gap(`MXNet casts no ${x.dtype} to ${to}`);
  if (to === 'bool') {
    if (heldType(x.dtype) === 'float32')
      return writer.node('_not_equal_scalar', [x], { scalar: 0 }, node.outputs);
    return writer.node(
      'Cast',
      [writer.step('_not_equal_scalar', [x], { scalar: 0 })],
      { dtype: 'float32' },
      node.outputs,
    );
  }
  if (heldType(x.dtype) === to) return writer.node('_copy', [x], {}, node.outputs);
  writer.node('Cast', [x], { dtype: to }, node.outputs);
}

const toCore = {
  BlockGrad: same,
  Cast: readCast,
  Dropout: (node) => {
    node.ignore('p', 'axes');
    if (node.text('mode') === 'always')
      throw node.unsupported('it drops elements at random whenever it runs');
    if (node.isUsed(1)) throw node.unsupported('its mask is used');
    return node.input(0);
  },
  IdentityAttachKLSparseReg: passed('sparseness_target', 'penalty', 'momentum'),
  LinearRegressionOutput: passed('grad_scale'),
  MAERegressionOutput: passed('grad_scale'),
  MakeLoss: passed('grad_scale', 'valid_thresh', 'normalization'),
  SVMOutput: passed('margin', 'regularization_coefficient', 'use_linear'),
  _contrib_gradientmultiplier: passed('scalar', 'is_int'),
  _copy: same,
  _identity_with_attr_like_rhs: same,
  _np_copy: same,
  amp_cast: readCast,
  amp_multicast: (node) => {
    node.ignore('num_outputs', 'cast_narrow');
    if (new Set(node.inputs().map(({ dtype }) => dtype)).size > 1)
      throw node.unsupported('its inputs have several element types');
    return node.inputs();
  },
  cast_storage: passed('stype'),
  make_loss: same,
} satisfies ReadRules;

const fromCore = { Cast: writeCast } satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that pass values on or only change their type, both directions. */
export const identity = { toCore, fromCore };
