import {
  cell,
  dimsJoin,
  likeDtype,
  list,
  number,
  rankChange,
  sameTypes,
  some,
  type Hint,
  type HintTable,
} from './hint.js';
import { joinDims } from './partial-type.js';

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

const squeeze = rankChange((at) => {
  const axis = at.attr('axis');
  return (typeof axis === 'number' ? 1 : list(axis).length) * -1 || undefined;
});

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

/** What operators tell that move, join or part elements, or change shapes. */
export const movementHints: HintTable = {
  Concat: concat,
  Flatten: flattened,
  Pad: padded,
  Reshape: reshape,
  SliceChannel: sliceChannel,
  SwapAxis: swapAxis,
  _rnn_param_concat: concat,
  expand_dims: expandDims,
  slice: sameRank,
  slice_axis: sameRank,
  slice_like: sameRank,
  squeeze,
  transpose,
};
