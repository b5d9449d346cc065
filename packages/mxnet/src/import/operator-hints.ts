import {
  allAlike,
  cell,
  likeFirst,
  list,
  rankChange,
  some,
  type Hint,
  type HintTable,
} from './hint.js';
import { layerHints } from './layer-hints.js';
import { movementHints } from './movement-hints.js';
import { recurrentHints } from './recurrent-hints.js';

/** undefined for a reduction over all or over all but some axes. */
const reduction = rankChange((at) => {
  const axis = at.attr('axis');
  const count = typeof axis === 'number' ? 1 : list(axis).length;
  return count === 0 || at.attr('exclude') === true
    ? undefined
    : at.attr('keepdims') === true
      ? 0
      : -count;
});

const zeros: Hint = ({ outputs, attr }) => {
  const shape = list(attr('shape')) as readonly number[];
  if (shape.length === 0) return false;
  return some(
    outputs[0]!.ranked(shape.length),
    ...shape.map((dim, i) => dim > 0 && outputs[0]!.dims![i]!.join(cell(dim))),
  );
};

const where: Hint = ({ inputs: [condition, x, y], outputs }) =>
  some(
    x!.join(y!),
    x!.join(outputs[0]!),
    x!.dtype.join(y!.dtype),
    x!.dtype.join(outputs[0]!.dtype),
    condition!.dims !== undefined && condition!.dims.length > 1 && condition!.join(x!),
  );

// prettier-ignore
const elementwise = [
  'Activation', 'BlockGrad', 'Dropout', 'InstanceNorm', 'GroupNorm', 'L2Normalization', 'LRN', 'LeakyReLU', 'LinearRegressionOutput',
  'LogisticRegressionOutput', 'MAERegressionOutput', 'MakeLoss', 'SVMOutput', 'SoftmaxActivation', 'SoftmaxOutput', '_copy', '_div_scalar', '_equal_scalar',
  '_greater_equal_scalar', '_greater_scalar', '_lesser_equal_scalar', '_lesser_scalar', '_maximum_scalar', '_minimum_scalar', '_minus_scalar', '_mod_scalar', '_mul_scalar',
  '_not_equal_scalar', '_plus_scalar', '_power_scalar', '_rdiv_scalar', '_rminus_scalar', '_rmod_scalar', '_rpower_scalar', '_contrib_div_sqrt_dim', 'abs', 'ceil', 'clip',
  'cos', 'erf', 'exp', 'floor', 'hard_sigmoid', 'log', 'log_softmax', 'make_loss', 'negative', 'ones_like', 'relu', 'reverse', 'rint', 'round', 'rsqrt', 'sigmoid', 'sign',
  'sin', 'softmax', 'softmin', 'softsign', 'sqrt', 'square', 'tanh', 'zeros_like', '_npx_relu', '_npx_sigmoid',
];

const pairs = [
  'elemwise_add',
  'elemwise_sub',
  'elemwise_mul',
  'elemwise_div',
  '_maximum',
  '_minimum',
  '_power',
  '_equal',
  '_greater',
  '_lesser',
  'add_n',
];

/** Several operators that tell the same. */
const all = (names: readonly string[], hint: Hint): HintTable =>
  Object.fromEntries(names.map((name) => [name, hint]));

/**
 * What each operator tells about the types and shapes around it. Those that are not here tell
 * nothing.
 */
export const operatorHints: ReadonlyMap<string, Hint> = new Map(
  Object.entries<Hint>({
    ...all(elementwise, likeFirst),
    ...all(pairs, allAlike),
    ...all(['max', 'mean', 'min', 'norm', 'prod', 'sum'], reduction),
    ...layerHints,
    ...movementHints,
    ...recurrentHints,
    Cast: (at) => at.inputs[0]!.join(at.outputs[0]!),
    _ones: zeros,
    _zeros: zeros,
    where,
  }),
);
