import {
  cell,
  dimsJoin,
  likeDtype,
  likeFirst,
  list,
  number,
  sameTypes,
  some,
  type Hint,
  type HintTable,
  type Hinted,
} from './hint.js';
import { joinDims } from './partial-type.js';

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

/** The output has a dimension more than the indices, of a known size. */
const embedding: Hint = (at) => {
  const [x, w] = at.inputs;
  const y = at.outputs[0]!;
  const news = [y.dtype.join(w!.dtype)];
  if (x!.dims) news.push(y.ranked(x!.dims.length + 1));
  if (y.dims) news.push(x!.ranked(y.dims.length - 1), joinDims(x!.dims!, y.dims.slice(0, -1)));
  return some(...news, dimsJoin(y, -1, w, 1));
};

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

const spatial4: Hint = (at) =>
  some(
    at.inputs[0]!.ranked(4),
    at.outputs[0]!.ranked(4),
    likeDtype(at),
    dimsJoin(at.inputs[0], 0, at.outputs[0], 0),
    dimsJoin(at.inputs[0], 1, at.outputs[0], 1),
  );

/** What layers tell: products, convolutions, pooling, lookups and their normalisation. */
export const layerHints: HintTable = {
  BatchNorm: batchNorm,
  Convolution: convolution,
  Deconvolution: convolution,
  Embedding: embedding,
  FullyConnected: fullyConnected,
  LayerNorm: layerNorm,
  Pooling: pooling,
  UpSampling: spatial4,
  _contrib_AdaptiveAvgPooling2D: spatial4,
  _contrib_BilinearResize2D: spatial4,
  batch_dot: batchDot,
};
