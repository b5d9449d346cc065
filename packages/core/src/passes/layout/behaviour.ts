import type { Node } from '../../graph/node.js';
import type { OpName } from '../../ops/ops.js';
import type { Dim } from '../../tensor/dim.js';
import { channelAxis, inverse, permutationTo, permuted, type Layout } from './permutation.js';

/**
 * How a node takes part in a layout change. `fixed` names the only side it can be on: 'kept' (its
 * tensors stay as they are) or 'moved' (they must be permuted to the target layout); undefined
 * leaves the choice to the cut. `operands` are those that move with it, and `attrs` gives its
 * attributes once they have.
 */
export interface Behaviour {
  readonly fixed: 'kept' | 'moved' | undefined;
  readonly operands: readonly number[];
  readonly attrs: () => Readonly<Record<string, unknown>>;
}

type Attributes = Readonly<Record<string, unknown>>;

interface Situation {
  readonly node: Node;
  readonly attrs: Attributes;
  readonly target: Layout;
  /** Rank and permutation of the first operand. */
  readonly rank: number;
  readonly perm: readonly number[];
}

type Rule = (situation: Situation) => Behaviour | undefined;

const kept: Behaviour = { fixed: 'kept', operands: [], attrs: () => ({}) };

/** The position of a dimension after a permutation. */
const moveAxis = (axis: number, perm: readonly number[]): number => perm.indexOf(axis);

/** Operators with a `layout`: the target's layout is the only one. */
const spatial: Rule = ({ attrs, target }) =>
  attrs['layout'] === target
    ? kept
    : { fixed: 'moved', operands: [0], attrs: () => ({ ...attrs, layout: target }) };

/**
 * Elementwise operators: every operand has the rank of the result, is a constant, or is a single
 * element.
 */
const elementwise: Rule = ({ node, attrs }) => {
  const rank = node.outputs[0]!.rank;
  const operands: number[] = [];
  for (const [i, value] of node.inputs.entries()) {
    if (!value || value.shape?.every((dim) => dim === 1)) continue;
    if (value.rank === undefined || (value.rank !== rank && !value.constant)) return undefined;
    operands.push(i);
  }
  return { fixed: undefined, operands, attrs: () => attrs };
};

/** Operators that work along one `axis`. */
const alongAxis =
  (operands: (node: Node) => readonly number[]): Rule =>
  ({ node, attrs, perm }) => ({
    fixed: undefined,
    operands: operands(node),
    attrs: () => ({ ...attrs, axis: moveAxis(attrs['axis'] as number, perm) }),
  });

/** Operators that take parameters for some `axes`, in a list that may have any order. */
const alongAxes: Rule = ({ attrs, perm }) => ({
  fixed: undefined,
  operands: [0],
  attrs: () => ({
    ...attrs,
    axes: (attrs['axes'] as readonly number[]).map((axis) => moveAxis(axis, perm)),
  }),
});

/**
 * Operators that normalise over the channels at `axis`: the channels must be where the target has
 * them.
 */
const overChannels: Rule = ({ attrs, target, rank, perm }) => {
  const axis = attrs['axis'] as number;
  const other: Layout = target === 'channelsLast' ? 'channelsFirst' : 'channelsLast';
  if (rank < 3 || axis !== channelAxis(other, rank)) return kept;
  return { fixed: 'moved', operands: [0], attrs: () => ({ ...attrs, axis: moveAxis(axis, perm) }) };
};

/** Resize: the spatial axes must be where the target has them. */
const resize: Rule = ({ attrs, target, rank, perm }) => {
  const axes = attrs['axes'] as readonly number[];
  const other: Layout = target === 'channelsLast' ? 'channelsFirst' : 'channelsLast';
  const isSpatial =
    axes.length === rank - 2 &&
    axes.every((axis) => axis !== 0 && axis !== channelAxis(other, rank));
  const moved = {
    operands: [0],
    attrs: () => ({ ...attrs, axes: axes.map((axis) => moveAxis(axis, perm)) }),
  };
  return isSpatial ? { fixed: rank < 3 ? 'kept' : 'moved', ...moved } : kept;
};

/** Reductions. Without kept dimensions the ones that are left must stay in order. */
const reduction: Rule = ({ attrs, perm }) => {
  const axes = attrs['axes'] as readonly number[];
  const left = perm.filter((p) => !axes.includes(p));
  const inOrder = left.every((p, i) => i === 0 || p > left[i - 1]!);
  const rankLeft = left.length;
  // A result of rank 3 or more would itself have a layout.
  if (attrs['keepdims'] !== true && (!inOrder || rankLeft >= 3)) return undefined;
  return {
    fixed: undefined,
    operands: [0],
    attrs: () => ({
      ...attrs,
      axes: axes.map((axis) => moveAxis(axis, perm)).sort((a, b) => a - b),
    }),
  };
};

/** Operators with one attribute entry for each dimension of the operand. */
const perDimension =
  (name: 'repeats' | 'shape'): Rule =>
  ({ node, attrs, rank, perm }) => {
    const list = attrs[name] as readonly Dim[] | null;
    if (!list || list.length !== rank || node.outputs[0]!.rank !== rank) return undefined;
    return {
      fixed: undefined,
      operands: [0],
      attrs: () => ({ ...attrs, [name]: permuted(list, perm) }),
    };
  };

/** Padding: begins and ends for each dimension. */
const pad: Rule = ({ attrs, rank, perm }) => {
  const pads = attrs['pads'] as readonly Dim[] | null;
  if (!pads) return undefined;
  return {
    fixed: undefined,
    operands: [0],
    attrs: () => ({
      ...attrs,
      pads: [...permuted(pads.slice(0, rank), perm), ...permuted(pads.slice(rank), perm)],
    }),
  };
};

/**
 * Squeeze and Unsqueeze: `axes` are of the larger shape; what is left must come out in the layout
 * of the smaller rank.
 */
const dimensionsOfOne =
  (larger: 'operand' | 'result'): Rule =>
  ({ node, attrs, target }) => {
    const [inner, outer] = [node.inputs[0]!.rank!, node.outputs[0]!.rank!];
    const [large, small] = larger === 'operand' ? [inner, outer] : [outer, inner];
    const perm = permutationTo(target, large);
    const axes = attrs['axes'] as readonly number[];
    const left = Array.from({ length: large }, (_, i) => i).filter((i) => !axes.includes(i));
    const order = perm.filter((p) => !axes.includes(p)).map((p) => left.indexOf(p));
    if (order.join() !== permutationTo(target, small).join()) return undefined;
    return {
      fixed: undefined,
      operands: [0],
      attrs: () => ({
        ...attrs,
        axes: axes.map((axis) => moveAxis(axis, perm)).sort((a, b) => a - b),
      }),
    };
  };

const first = () => [0];
const all = (node: Node) => node.inputs.map((_, i) => i);

// prettier-ignore
const elementwiseOps: readonly OpName[] = [
  'Abs', 'Acos', 'Acosh', 'Add', 'And', 'Asin', 'Asinh', 'Atan', 'Atan2', 'Atanh', 'BitShift', 'BitwiseAnd', 'BitwiseNot', 'BitwiseOr', 'BitwiseXor', 'Cast',
  'Ceil', 'Celu', 'Clip', 'Cos', 'Cosh', 'Div', 'Elu', 'Equal', 'Erf', 'Exp', 'Expm1', 'Floor', 'Gelu', 'Greater', 'GreaterOrEqual', 'HardSigmoid',
  'HardSwish', 'IsInf', 'IsNaN', 'LeakyRelu', 'Less', 'LessOrEqual', 'Log', 'Log1p', 'Max', 'Min', 'Mish', 'Mod', 'Mul', 'Neg', 'Not', 'Or', 'PRelu', 'Pow',
  'Reciprocal', 'Relu', 'Round', 'Selu', 'Sigmoid', 'Sign', 'Sin', 'Sinh', 'Softplus', 'Softsign', 'Sqrt', 'Sub', 'Tan', 'Tanh', 'ThresholdedRelu', 'Where', 'Xor',
];

// prettier-ignore
const reductionOps: readonly OpName[] = [
  'ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceProd', 'ReduceSum', 'ReduceSumSquare',
];

// prettier-ignore
const spatialOps: readonly OpName[] = [
  'AveragePool', 'Conv', 'ConvTranspose', 'DepthToSpace', 'GridSample', 'GroupNormalization', 'InstanceNormalization', 'LpPool', 'MaxPool', 'SpaceToDepth',
];

const each = (names: readonly OpName[], rule: Rule) => names.map((name) => [name, rule] as const);

/** Rules by operator. One that is not here keeps its tensors as they are. */
const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...each(elementwiseOps, elementwise),
  ...each(reductionOps, reduction),
  ...each(spatialOps, spatial),
  ...each(['CumSum', 'Hardmax', 'LogSoftmax', 'Softmax', 'Split', 'TopK'], alongAxis(first)),
  ...each(['Concat'], alongAxis(all)),
  ...each(['BatchNormalization', 'LRN'], overChannels),
  ...each(['Reverse', 'Slice'], alongAxes),
  ['Resize', resize],
  ['Pad', pad],
  ['Tile', perDimension('repeats')],
  ['Expand', perDimension('shape')],
  ['Squeeze', dimensionsOfOne('operand')],
  ['Unsqueeze', dimensionsOfOne('result')],
]);

/** How a node takes part in a change to the target layout. */
export function behaviourOf(node: Node, target: Layout): Behaviour {
  const rank = node.inputs[0]?.rank;
  const rule = rules.get(node.op.name);
  if (!rule || rank === undefined || node.outputs.some((value) => value.rank === undefined))
    return kept;
  const behaviour = rule({
    node,
    attrs: node.attrs,
    target,
    rank,
    perm: permutationTo(target, rank),
  });
  return behaviour ?? kept;
}

/**
 * A Transpose that is itself a change between the layouts: 'undoes' when it takes the target layout
 * to the other, 'does' when it takes the other to the target.
 */
export function transposeRole(node: Node, target: Layout): 'does' | 'undoes' | undefined {
  if (node.op.name !== 'Transpose') return undefined;
  const perm = (node.attrs as { perm: readonly number[] }).perm;
  const change = permutationTo(target, perm.length);
  if (perm.length < 3) return undefined;
  return perm.join() === change.join()
    ? 'does'
    : perm.join() === inverse(change).join()
      ? 'undoes'
      : undefined;
}
