import type { AttrValue } from '../codec/attr-value.js';
import type { SymbolNode } from '../codec/symbol.js';
import { Cell, joinDims, type PartialType } from './partial-type.js';

/** A node with what is known about its inputs and outputs. */
export interface Hinted {
  readonly node: SymbolNode;
  readonly inputs: readonly PartialType[];
  readonly outputs: readonly PartialType[];
  attr(name: string): AttrValue | undefined;
}

/** What a node tells about its inputs and outputs; whether it was news. */
export type Hint = (at: Hinted) => boolean;

const some = (...news: readonly boolean[]): boolean => news.includes(true);
const number = (value: AttrValue | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined;
const list = (value: AttrValue | undefined): readonly AttrValue[] =>
  Array.isArray(value) ? (value as readonly AttrValue[]) : [];
const cell = (value: number | undefined): Cell<number> => new Cell(value);

/** Inputs and the first output have one type; with `isWhole` also one shape. */
const sameTypes = ({ inputs, outputs }: Hinted): boolean =>
  some(...[...inputs.slice(1), outputs[0]!].map((each) => each.dtype.join(inputs[0]!.dtype)));
const likeFirst: Hint = (at) =>
  some(at.inputs[0]!.dtype.join(at.outputs[0]!.dtype), at.inputs[0]!.join(at.outputs[0]!));
const allAlike: Hint = (at) =>
  some(
    sameTypes(at),
    ...[...at.inputs.slice(1), at.outputs[0]!].map((each) => each.join(at.inputs[0]!)),
  );

/** Joins one dimension of two tensors whose ranks are known. */
const dimsJoin = (
  a: PartialType | undefined,
  i: number,
  b: PartialType | undefined,
  j: number,
): boolean => {
  const [left, right] = [a?.dims?.at(i), b?.dims?.at(j)];
  return left !== undefined && right !== undefined && left.join(right);
};

const isChannelsLast = (at: Hinted): boolean => String(at.attr('layout') ?? '').endsWith('C');

const convolution: Hint = (at) => {
  const rank = list(at.attr('kernel')).length + 2;
  const [x, w] = at.inputs;
  const y = at.outputs[0]!;
  const channels = isChannelsLast(at) ? rank - 1 : 1;
  const news = [x!.ranked(rank), y.ranked(rank), dimsJoin(x, 0, y, 0), sameTypes(at)];
  const filters = number(at.attr('num_filter'));
  if (at.node.op === 'Deconvolution') news.push(dimsJoin(x, 1, w, 0));
  else {
    const perGroup = w!.dims?.at(channels)?.value;
    if (perGroup !== undefined)
      news.push(x!.dims![channels]!.join(cell(perGroup * (number(at.attr('num_group')) ?? 1))));
  }
  if (filters !== undefined) news.push(y.dims![channels]!.join(cell(filters)));
  return some(...news);
};

const pooling: Hint = (at) => {
  const rank = list(at.attr('kernel')).length;
  const [x, y] = [at.inputs[0]!, at.outputs[0]!];
  const news = [likeDtype(at)];
  if (rank > 0) news.push(x.ranked(rank + 2));
  if (!x.dims) return some(...news);
  const channels = isChannelsLast(at) ? x.dims.length - 1 : 1;
  return some(
    ...news,
    y.ranked(x.dims.length),
    dimsJoin(x, 0, y, 0),
    dimsJoin(x, channels, y, channels),
  );
};

const likeDtype: Hint = ({ inputs, outputs }) => inputs[0]!.dtype.join(outputs[0]!.dtype);

const batchNorm: Hint = (at) => {
  const axis = number(at.attr('axis')) ?? 1;
  return some(likeFirst(at), dimsJoin(at.inputs[0], axis, at.inputs[3], 0));
};

const fullyConnected: Hint = (at) => {
  const [x, w] = at.inputs;
  const y = at.outputs[0]!;
  const news = [sameTypes(at)];
  const flatten = at.attr('flatten') === true;
  if (flatten) news.push(y.ranked(2), dimsJoin(x, 0, y, 0));
  else {
    if (x!.dims) news.push(y.ranked(x!.dims.length));
    if (y.dims) news.push(x!.ranked(y.dims.length));
    if (x!.dims && y.dims) news.push(joinDims(x!.dims.slice(0, -1), y.dims.slice(0, -1)));
  }
  if (!flatten || x!.dims?.length === 2) news.push(dimsJoin(x, -1, w, 1));
  return some(...news, dimsJoin(y, -1, w, 0));
};

const transpose: Hint = (at) => {
  const axes = list(at.attr('axes')) as readonly number[];
  const [x, y] = [at.inputs[0]!, at.outputs[0]!];
  const rank = axes.length || (x.dims ?? y.dims)?.length;
  if (rank === undefined) return likeDtype(at);
  const perm = axes.length > 0 ? axes : Array.from({ length: rank }, (_, i) => rank - 1 - i);
  return some(
    likeDtype(at),
    x.ranked(rank),
    y.ranked(rank),
    joinDims(
      y.dims!,
      perm.map((p) => x.dims!.at(p)),
    ),
  );
};

const swapAxis: Hint = (at) => {
  const [x, y] = [at.inputs[0]!, at.outputs[0]!];
  const rank = (x.dims ?? y.dims)?.length;
  if (rank === undefined) return likeDtype(at);
  const perm = Array.from({ length: rank }, (_, i) => i);
  const [a, b] = ['dim1', 'dim2'].map((name) => ((number(at.attr(name)) ?? 0) + rank) % rank) as [
    number,
    number,
  ];
  [perm[a], perm[b]] = [b, a];
  return some(
    likeDtype(at),
    x.ranked(rank),
    y.ranked(rank),
    joinDims(
      y.dims!,
      perm.map((p) => x.dims![p]),
    ),
  );
};

/** The output has a dimension more than the indices, of a known size. */
const embedding: Hint = (at) => {
  const [x, w] = at.inputs;
  const y = at.outputs[0]!;
  const news = [y.dtype.join(w!.dtype)];
  if (x!.dims) news.push(y.ranked(x!.dims.length + 1));
  if (y.dims) news.push(x!.ranked(y.dims.length - 1), joinDims(x!.dims!, y.dims.slice(0, -1)));
  return some(...news, dimsJoin(y, -1, w, 1));
};

const expandDims: Hint = (at) => {
  const [x, y] = [at.inputs[0]!, at.outputs[0]!];
  const news = [likeDtype(at)];
  if (x.dims) news.push(y.ranked(x.dims.length + 1));
  if (!y.dims) return some(...news);
  const axis = ((number(at.attr('axis')) ?? 0) + y.dims.length) % y.dims.length;
  return some(
    ...news,
    x.ranked(y.dims.length - 1),
    joinDims(
      x.dims!,
      y.dims.filter((_, i) => i !== axis),
    ),
  );
};

/** Numbers of dimensions that reshape codes take and make; NaN for what they leave open. */
export function reshapeRanks(codes: readonly number[]): {
  readonly taken: number;
  readonly made: number;
} {
  let [taken, made] = [0, 0];
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === -4) i += 2; // two factors follow
    taken += code === 0 || code === -4 ? 1 : code === -3 ? 2 : NaN;
    made += code === -4 ? 2 : code === -2 ? NaN : 1;
  }
  return { taken, made };
}

/**
 * 0 keeps a dimension at its place while no other code came before it; -1 follows where all sizes
 * are known.
 */
const reshape: Hint = (at) => {
  const codes = list(at.attr('shape')) as readonly number[];
  const [x, y] = [at.inputs[0]!, at.outputs[0]!];
  if (codes.length === 0 || at.attr('reverse') === true) return likeDtype(at);
  const { made } = reshapeRanks(codes);
  const news = [likeDtype(at), !Number.isNaN(made) && y.ranked(made)];
  if (codes.some((code) => code < -1)) return some(...news);
  const sizes = x.dims?.map(({ value }) => value ?? NaN) ?? [NaN];
  const known = codes.map((code, i) => (code === 0 ? (sizes[i] ?? NaN) : code === -1 ? 1 : code));
  const rest = sizes.reduce((a, b) => a * b, 1) / known.reduce((a, b) => a * b, 1);
  codes.forEach((code, i) => {
    if (code > 0) news.push(y.dims!.at(i)!.join(cell(code)));
    else if (code === 0) news.push(dimsJoin(x, i, y, i));
    else if (Number.isInteger(rest)) news.push(y.dims!.at(i)!.join(cell(rest)));
  });
  return some(...news);
};

/** All dimensions but the one along which parts lie are equal. */
const concat: Hint = (at) => {
  const axis = number(at.attr('dim')) ?? 1;
  const rank = [...at.inputs, at.outputs[0]!].find(({ dims }) => dims)?.dims?.length;
  const news = [sameTypes(at)];
  if (rank === undefined) return some(...news);
  const y = at.outputs[0]!;
  news.push(y.ranked(rank));
  for (const x of at.inputs) {
    news.push(x.ranked(rank));
    x.dims!.forEach((_, i) => i !== (axis + rank) % rank && news.push(dimsJoin(x, i, y, i)));
  }
  const sizes = at.inputs.map(({ dims }) => dims!.at(axis)?.value ?? NaN);
  const total = sizes.reduce((a, b) => a + b, 0);
  if (!Number.isNaN(total) && y.dims!.at(axis)) news.push(y.dims!.at(axis)!.join(cell(total)));
  return some(...news);
};

/** Parts along one dimension, of equal size; without that dimension where it is squeezed out. */
const sliceChannel: Hint = (at) => {
  const x = at.inputs[0]!;
  const parts = at.outputs;
  const isSqueezed = at.attr('squeeze_axis') === true;
  const news = parts.map((part) => part.dtype.join(x.dtype));
  const partRank = parts.find(({ dims }) => dims)?.dims?.length;
  const rank =
    x.dims?.length ?? (partRank === undefined ? undefined : partRank + Number(isSqueezed));
  if (rank === undefined) return some(...news);
  const axis = ((number(at.attr('axis')) ?? 1) + rank) % rank;
  news.push(x.ranked(rank));
  const whole = x.dims!.at(axis);
  if (isSqueezed && whole) news.push(whole.join(cell(parts.length)));
  for (const part of parts) {
    news.push(part.ranked(isSqueezed ? rank - 1 : rank));
    const rest = part.dims!.filter((_, i) => isSqueezed || i !== axis);
    news.push(
      joinDims(
        rest,
        x.dims!.filter((_, i) => i !== axis),
      ),
    );
    const [size, mine] = [whole?.value, part.dims!.at(axis)];
    if (isSqueezed || !mine) continue;
    if (size !== undefined && size % parts.length === 0)
      news.push(mine.join(cell(size / parts.length)));
    if (mine.value !== undefined) news.push(whole!.join(cell(mine.value * parts.length)));
  }
  return some(...news);
};

/**
 * The rank changes by a number that the operator's attributes tell, undefined where they do not.
 */
const rankChange =
  (by: (at: Hinted) => number | undefined): Hint =>
  (at) => {
    const [x, y] = [at.inputs[0]!, at.outputs[0]!];
    const change = by(at);
    if (change === undefined) return likeDtype(at);
    const back = y.dims === undefined ? 0 : y.dims.length - change;
    return some(
      likeDtype(at),
      x.dims !== undefined && y.ranked(Math.max(1, x.dims.length + change)),
      back > 0 && x.ranked(back),
    );
  };

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
const squeeze = rankChange((at) => {
  const axis = at.attr('axis');
  return (typeof axis === 'number' ? 1 : list(axis).length) * -1 || undefined;
});

/** Batches of matrices. */
const batchDot: Hint = (at) => {
  const [a, b] = at.inputs;
  const y = at.outputs[0]!;
  const [rows, columns] = [
    at.attr('transpose_a') === true ? 2 : 1,
    at.attr('transpose_b') === true ? 1 : 2,
  ];
  return some(
    sameTypes(at),
    ...[a!, b!, y].map((each) => each.ranked(3)),
    dimsJoin(a, 0, b, 0),
    dimsJoin(a, 0, y, 0),
    dimsJoin(a, 3 - rows, b, 3 - columns),
    dimsJoin(a, rows, y, 1),
    dimsJoin(b, columns, y, 2),
  );
};

const layerNorm: Hint = (at) =>
  some(likeFirst(at), dimsJoin(at.inputs[0], number(at.attr('axis')) ?? -1, at.inputs[1], 0));

const gates: ReadonlyMap<unknown, number> = new Map([
  ['lstm', 4],
  ['gru', 3],
  ['rnn_relu', 1],
  ['rnn_tanh', 1],
]);

/** data [T, N, C], state [layers * directions, N, H]; C follows from the number of parameters. */
const rnn: Hint = (at) => {
  const [x, parameters, ...states] = at.inputs;
  const [y, ...last] = at.outputs;
  const size = number(at.attr('state_size'));
  const layers = number(at.attr('num_layers'));
  const mode = at.attr('mode');
  const count = gates.get(mode);
  if (
    size === undefined ||
    count === undefined ||
    layers === undefined ||
    number(at.attr('projection_size')) !== undefined
  )
    return false;
  const directions = at.attr('bidirectional') === true ? 2 : 1;
  const isState = (index: number) => index < (mode === 'lstm' ? 2 : 1);
  const news = [
    x!.ranked(3),
    y!.ranked(3),
    dimsJoin(x, 0, y, 0),
    dimsJoin(x, 1, y, 1),
    y!.dims![2]!.join(cell(size * directions)),
    likeDtype(at),
  ];
  for (const state of [
    ...states.filter((_, i) => isState(i)),
    ...last.filter((_, i) => isState(i)),
  ]) {
    news.push(
      state.ranked(3),
      dimsJoin(state, 1, x, 1),
      state.dims![0]!.join(cell(layers * directions)),
      state.dims![2]!.join(cell(size)),
      state.dtype.join(x!.dtype),
    );
  }
  const total = parameters!.dims?.[0]?.value;
  const rows = count * size;
  const rest = directions * rows * (layers * (size + 2) + (layers - 1) * size * directions);
  const features = total === undefined ? undefined : (total - rest) / (directions * rows);
  if (features !== undefined && Number.isInteger(features) && features > 0)
    news.push(x!.dims![2]!.join(cell(features)));
  return some(...news);
};

/** data [T, N, …] or [N, T, …], lengths [N]. */
const sequence =
  (result: 'same' | 'last'): Hint =>
  (at) => {
    const [x, lengths] = at.inputs;
    const y = at.outputs[0]!;
    const axis = number(at.attr('axis')) ?? 0;
    const news = [likeDtype(at)];
    if (result === 'same') news.push(likeFirst(at));
    else {
      if (x!.dims) news.push(y.ranked(x!.dims.length - 1));
      if (y.dims)
        news.push(
          x!.ranked(y.dims.length + 1),
          joinDims(
            y.dims,
            x!.dims!.filter((_, i) => i !== axis),
          ),
        );
    }
    if (at.attr('use_sequence_length') === true && lengths)
      news.push(lengths.ranked(1), dimsJoin(lengths, 0, x, 1 - axis));
    return some(...news);
  };

const sameRank: Hint = (at) => {
  const [x, y] = [at.inputs[0]!, at.outputs[0]!];
  return some(
    likeDtype(at),
    x.dims !== undefined && y.ranked(x.dims.length),
    y.dims !== undefined && x.ranked(y.dims.length),
  );
};

const padded: Hint = (at) =>
  some(at.inputs[0]!.ranked(list(at.attr('pad_width')).length / 2), sameRank(at));

const flattened: Hint = (at) =>
  some(likeDtype(at), at.outputs[0]!.ranked(2), dimsJoin(at.inputs[0], 0, at.outputs[0], 0));

const spatial4: Hint = (at) =>
  some(
    at.inputs[0]!.ranked(4),
    at.outputs[0]!.ranked(4),
    likeDtype(at),
    dimsJoin(at.inputs[0], 0, at.outputs[0], 0),
    dimsJoin(at.inputs[0], 1, at.outputs[0], 1),
  );

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

/**
 * What each operator tells about the types and shapes around it. Those that are not here tell
 * nothing.
 */
export const operatorHints: ReadonlyMap<string, Hint> = new Map<string, Hint>([
  ...elementwise.map((name) => [name, likeFirst] as const),
  ...pairs.map((name) => [name, allAlike] as const),
  ...['max', 'mean', 'min', 'norm', 'prod', 'sum'].map((name) => [name, reduction] as const),
  ['BatchNorm', batchNorm],
  ['Cast', (at) => at.inputs[0]!.join(at.outputs[0]!)],
  ['Concat', concat],
  ['Convolution', convolution],
  ['Deconvolution', convolution],
  ['Embedding', embedding],
  ['Flatten', flattened],
  ['FullyConnected', fullyConnected],
  ['LayerNorm', layerNorm],
  ['Pad', padded],
  ['Pooling', pooling],
  ['RNN', rnn],
  ['Reshape', reshape],
  ['SequenceLast', sequence('last')],
  ['SequenceMask', sequence('same')],
  ['SequenceReverse', sequence('same')],
  ['SliceChannel', sliceChannel],
  ['SwapAxis', swapAxis],
  ['UpSampling', spatial4],
  ['_contrib_AdaptiveAvgPooling2D', spatial4],
  ['_contrib_BilinearResize2D', spatial4],
  ['_ones', zeros],
  ['_rnn_param_concat', concat],
  ['_zeros', zeros],
  ['batch_dot', batchDot],
  ['expand_dims', expandDims],
  ['slice', sameRank],
  ['slice_axis', sameRank],
  ['slice_like', sameRank],
  ['squeeze', squeeze],
  ['transpose', transpose],
  ['where', where],
]);
