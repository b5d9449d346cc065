import type { Node } from '../graph/node.js';
import { sameDim, type Dim } from '../tensor/dim.js';
import { inverse, permutationTo, permuted } from '../typing/permutation.js';
import { readSubscripts } from '../typing/subscripts.js';
import { channelAxis, type Layout } from '../typing/window.js';

/**
 * How a node takes part in a change to a layout: which of its tensors are permuted when it does,
 * and its attributes then.
 */
export interface LayoutChange {
  /**
   * The only side on which the node can be: its tensors stay as they are (`kept`), or must be
   * permuted (`moved`). `either` leaves the choice.
   */
  readonly side: 'kept' | 'moved' | 'either';
  /** Operands that must be permuted where the node moves, by their places; the others stay. */
  readonly operands: readonly number[];
  /**
   * Operands of a lower rank than the result, by their places: they get dimensions of 1 in front up
   * to its rank, and are permuted then.
   */
  readonly raised: readonly number[];
  /** Whether results are permuted where the node moves, or stay as they are. */
  readonly results: 'moved' | 'kept';
  /** The attributes of the node where it moves. */
  readonly attrs: () => Readonly<Record<string, unknown>>;
  /**
   * For an operator that permutes: it takes the other layout to the target, or back, so that it may
   * become idle, or it does something else, in which a change of its operand vanishes.
   */
  readonly permutes?: 'toTarget' | 'fromTarget' | 'otherwise';
}

type Attributes = Readonly<Record<string, unknown>>;

/** A node, and the layout that it is to take. */
export interface LayoutSituation {
  readonly node: Node;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly target: Layout;
  /** Rank of the first operand, and the permutation that takes it to the target. */
  readonly rank: number;
  readonly perm: readonly number[];
}

/**
 * What an operator does under a change between channels first and channels last. Stated by every
 * operator; `Needs` are the attributes that it must have for that.
 */
export interface LayoutRule<Needs extends string = never> {
  /** What the operator does, as the documentation says it. */
  readonly says: string;
  readonly needs: readonly Needs[];
  /** The change for a node; undefined where its tensors must stay as they are. */
  readonly change: (situation: LayoutSituation) => LayoutChange | undefined;
}

const kept: LayoutChange = {
  side: 'kept',
  operands: [],
  raised: [],
  results: 'kept',
  attrs: () => ({}),
};

/** How a node takes part in a change to the target layout, as its operator states. */
export function layoutChange(node: Node, target: Layout): LayoutChange {
  const rank = node.inputs[0]?.rank;
  if (rank === undefined || node.outputs.some((value) => value.rank === undefined)) return kept;
  const perm = permutationTo(target, rank);
  const change = node.op.layout.change({ node, attrs: node.attrs, target, rank, perm });
  const isKnown = change?.operands.every((i) => node.inputs[i]!.rank !== undefined);
  return change && isKnown ? change : kept;
}

function rule<const Needs extends string = never>(
  says: string,
  needs: readonly Needs[],
  change: LayoutRule['change'],
): LayoutRule<Needs> {
  return { says, needs, change };
}

/** A node that may move with its first operand, and its results with it, unless told otherwise. */
function moves(attrs: LayoutChange['attrs'], other: Partial<LayoutChange> = {}): LayoutChange {
  return { side: 'either', operands: [0], raised: [], results: 'moved', attrs, ...other };
}

/** The position of a dimension after a permutation. */
const moveAxis = (axis: number, perm: readonly number[]): number => perm.indexOf(axis);

const moveAxes = (axes: readonly number[], perm: readonly number[]): number[] =>
  axes.map((axis) => moveAxis(axis, perm)).sort((a, b) => a - b);

/** The attributes with those of these names, each an axis, moved. */
const withAxes = (attrs: Attributes, names: readonly string[], perm: readonly number[]) => ({
  ...attrs,
  ...Object.fromEntries(
    Object.entries(attrs).flatMap(([name, value]) =>
      names.includes(name) ? [[name, moveAxis(value as number, perm)]] : [],
    ),
  ),
});

/**
 * Whether a tensor that comes out of a moved one with its dimensions in this order is itself in the
 * target layout (`moved`) or as it was (`kept`); undefined when it is neither.
 */
function comesOut(order: readonly number[], target: Layout): 'moved' | 'kept' | undefined {
  if (order.join() === permutationTo(target, order.length).join()) return 'moved';
  return order.every((p, i) => p === i) ? 'kept' : undefined;
}

/** The order in which dimensions come out when those at `axes` are taken from a permuted tensor. */
function orderWithout(axes: readonly number[], perm: readonly number[]): number[] {
  const left = perm.filter((p) => !axes.includes(p));
  return left.map((p) => left.filter((other) => other < p).length);
}

/**
 * The operands of a broadcasting operator: those that move, and those of a lower rank. A single
 * element is the same in each layout.
 */
function broadcastOperands(node: Node): Pick<LayoutChange, 'operands' | 'raised'> | undefined {
  const rank = node.outputs[0]!.rank!;
  const [operands, raised]: [number[], number[]] = [[], []];
  for (const [i, value] of node.inputs.entries()) {
    if (!value || value.shape?.every((dim) => dim === 1)) continue;
    if (value.rank === undefined) return undefined;
    (value.rank === rank ? operands : raised).push(i);
  }
  return { operands, raised };
}

/** Tensors that stay as they are, with the reason. */
export const fixed = (why: string): LayoutRule =>
  rule(`keeps its tensors as they are: ${why}`, [], () => undefined);

/** Operators that compute each element of the result from those at its place, with broadcasting. */
export const elementwise = rule('works in any layout', [], ({ node, attrs }) => {
  const operands = broadcastOperands(node);
  return operands && moves(() => attrs, operands);
});

/** Operators with an attribute `layout`: the target's is the only one. */
export const spatial = rule('has a layout of its own', ['layout'], ({ attrs, target }) =>
  attrs['layout'] === target
    ? undefined
    : moves(() => ({ ...attrs, layout: target }), { side: 'moved' }),
);

/**
 * Operators that work along the axes that these attributes name. `first`: other operands than the
 * first have no layout; `all`: they have the rank of the first.
 */
export const alongAxis = <N extends string>(
  operands: 'first' | 'all',
  ...names: readonly N[]
): LayoutRule<N> =>
  rule('works in any layout, along a dimension', names, ({ node, attrs, perm }) =>
    moves(() => withAxes(attrs, names, perm), {
      operands: operands === 'first' ? [0] : [...node.inputs.keys()],
    }),
  );

/** Operators with parameters for some `axes`, in lists of that order. */
export const alongAxes = rule(
  'works in any layout, along some dimensions',
  ['axes'],
  ({ attrs, perm }) =>
    moves(() => ({
      ...attrs,
      axes: (attrs['axes'] as readonly number[]).map((axis) => moveAxis(axis, perm)),
    })),
);

/**
 * Operators that treat each channel, at `axis`, alike: the channels must be where the target has
 * them.
 */
export const overChannels = rule(
  'needs the dimension that it works along where the layout has its channels',
  ['axis'],
  ({ attrs, target, rank, perm }) => {
    const other: Layout = target === 'channelsLast' ? 'channelsFirst' : 'channelsLast';
    if (rank < 3 || attrs['axis'] !== channelAxis(other, rank)) return undefined;
    return moves(() => withAxes(attrs, ['axis'], perm), { side: 'moved' });
  },
);

/** Resampling along `axes`: the spatial ones must be where the target has them. */
export const resampling = rule(
  'needs the dimensions that it resamples where the layout has its spatial ones',
  ['axes'],
  (situation) => {
    const { attrs, target, rank } = situation;
    const axes = attrs['axes'] as readonly number[];
    const other: Layout = target === 'channelsLast' ? 'channelsFirst' : 'channelsLast';
    const isSpatial =
      rank >= 3 &&
      axes.length === rank - 2 &&
      axes.every((axis) => axis !== 0 && axis !== channelAxis(other, rank));
    return isSpatial ? { ...alongAxes.change(situation)!, side: 'moved' } : undefined;
  },
);

/**
 * Operators that take the dimensions together that an attribute names, one or several, and leave
 * them with size 1 if `keepdims`.
 */
export const reducing = <N extends 'axis' | 'axes'>(name: N): LayoutRule<N | 'keepdims'> =>
  rule(
    'works in any layout where the dimensions that are left come out in order or in the layout',
    [name, 'keepdims'],
    ({ attrs, target, perm }) => {
      const axes = [attrs[name] as number | readonly number[]].flat();
      const results =
        attrs['keepdims'] === true ? 'moved' : comesOut(orderWithout(axes, perm), target);
      const moved = moveAxes(axes, perm);
      return (
        results &&
        moves(() => ({ ...attrs, [name]: name === 'axis' ? moved[0]! : moved }), { results })
      );
    },
  );

/** Operators with one entry of an attribute for each dimension of the operand and of the result. */
export const perDimension = <N extends string>(name: N): LayoutRule<N> =>
  rule('works in any layout', [name], ({ node, attrs, rank, perm }) => {
    const list = attrs[name] as readonly Dim[] | null;
    if (!list || list.length !== rank || node.outputs[0]!.rank !== rank) return undefined;
    return moves(() => ({ ...attrs, [name]: permuted(list, perm) }));
  });

/** Operators with the attribute `pads`: begins and ends for each dimension. */
export const padding = rule('works in any layout', ['pads'], ({ attrs, rank, perm }) => {
  const pads = attrs['pads'] as readonly Dim[] | null;
  if (!pads) return undefined;
  const [begins, ends] = [pads.slice(0, rank), pads.slice(rank)];
  return moves(() => ({ ...attrs, pads: [...permuted(begins, perm), ...permuted(ends, perm)] }));
});

/** Operators that take the dimensions `axes` out. */
export const removesDimensions = rule(
  'works in any layout where the dimensions that are left come out in order or in the layout',
  ['axes'],
  ({ attrs, target, perm }) => {
    const axes = attrs['axes'] as readonly number[];
    const results = comesOut(orderWithout(axes, perm), target);
    return results && moves(() => ({ ...attrs, axes: moveAxes(axes, perm) }), { results });
  },
);

/**
 * Operators that put dimensions in, so that they are those of the result that an attribute names.
 */
export const addsDimensions = <N extends 'axis' | 'axes'>(name: N): LayoutRule<N> =>
  rule(
    'works in any layout where the other dimensions are in order or in the layout',
    [name],
    ({ node, attrs, target }) => {
      const perm = permutationTo(target, node.outputs[0]!.rank!);
      const axes = [attrs[name] as number | readonly number[]].flat();
      const operand = comesOut(orderWithout(axes, perm), target);
      const moved = moveAxes(axes, perm);
      return (
        operand &&
        moves(() => ({ ...attrs, [name]: name === 'axis' ? moved[0]! : moved }), {
          operands: operand === 'moved' ? [0] : [],
        })
      );
    },
  );

/**
 * Operators that put the dimensions of their second operand in the place of the dimension `axis`.
 */
export const gathering = rule(
  'works in any layout where the dimensions of the result come out in order or in the layout',
  ['axis'],
  ({ node, attrs, target, perm }) => {
    const [axis, count] = [attrs['axis'] as number, node.inputs[1]!.rank];
    if (count === undefined) return undefined;
    const order = perm.flatMap((p) =>
      p === axis
        ? Array.from({ length: count }, (_, i) => axis + i)
        : [p < axis ? p : p - 1 + count],
    );
    const results = comesOut(order, target);
    return results && moves(() => withAxes(attrs, ['axis'], perm), { results });
  },
);

/** Operators that give the elements in their order under another shape, the attribute `shape`. */
export const reshaping = rule(
  'works in any layout where only spatial dimensions are split or joined',
  ['shape'],
  ({ node, attrs, target, rank }) => {
    const shape = attrs['shape'] as readonly Dim[] | null;
    const [from, to] = [node.inputs[0]!.shape!, node.outputs[0]!.shape!];
    if (!shape || rank < 3 || to.length < 3) return undefined;
    const other: Layout = target === 'channelsLast' ? 'channelsFirst' : 'channelsLast';
    const stays =
      sameDim(from[0]!, to[0]!) &&
      sameDim(from[channelAxis(other, rank)]!, to[channelAxis(other, to.length)]!);
    if (!stays) return undefined;
    return moves(() => ({ ...attrs, shape: permuted(shape, permutationTo(target, to.length)) }));
  },
);

/**
 * Operators that normalise over the dimensions from `axis` to the last, and whose other operands
 * broadcast.
 */
export const overLastDimensions = rule(
  'works in any layout where the dimensions that it works over are the last ones',
  ['axis'],
  ({ node, attrs, perm }) => {
    const first = attrs['axis'] as number;
    const operands = broadcastOperands(node);
    if (!operands || perm.slice(first).some((p) => p < first)) return undefined;
    return moves(() => attrs, operands);
  },
);

/**
 * Quantisation and its inverse: one scale for all elements, one for each index of `axis`, or one
 * for each of the blocks along it, and then scales and zero points have the rank of the first
 * operand.
 */
export const scaled = rule(
  'works in any layout, the scales along their dimension',
  ['axis', 'blockSize'],
  ({ node, attrs, perm }) => {
    if (attrs['axis'] === null) return moves(() => attrs);
    return moves(() => withAxes(attrs, ['axis'], perm), {
      operands:
        attrs['blockSize'] === 0 ? [0] : [...node.inputs.keys()].filter((i) => node.inputs[i]),
    });
  },
);

/** Operators that sum over labelled dimensions, as the attribute `equation` says. */
export const labelled = rule(
  'works in any layout, for which its equation says the labels',
  ['equation'],
  ({ node, attrs, target }) => {
    const equation = attrs['equation'] as string;
    const ranks = node.inputs.map((value) => value!.rank);
    const subscripts = equation.includes('.') ? undefined : readSubscripts(equation, ranks);
    if (!subscripts) return undefined;
    const term = (labels: readonly string[]) =>
      permuted(labels, permutationTo(target, labels.length)).join('');
    const operands = subscripts.operands.map(term).join();
    return moves(() => ({ ...attrs, equation: `${operands}->${term(subscripts.result)}` }), {
      operands: [...node.inputs.keys()],
    });
  },
);

/** Operators that permute, by the attribute `perm`. */
export const permuting = rule(
  'takes a change of its operand or result into its permutation',
  ['perm'],
  ({ node, attrs, rank, perm: change }) => {
    const perm = attrs['perm'] as readonly number[];
    if (rank < 3) return undefined;
    const isForth = perm.join() === change.join();
    const isBack = perm.join() === inverse(change).join();
    // Of rank 3 it is both. What leads from an input, which stays as it is, leads back.
    const leadsBack = isBack && (!isForth || node.inputs[0]!.producer === undefined);
    const permutes = leadsBack ? 'fromTarget' : isForth ? 'toTarget' : 'otherwise';
    return moves(() => ({ perm: permuted(perm, change) }), { operands: [], permutes });
  },
);
