import { addDim, floorDivDim, isFloat, ops, subDim, type Value } from '@drover/core';
import { dtypeOf } from '../codec/data-type.js';
import { axisOf } from '../vocabulary/axis.js';
import { Compose, shapeOf } from '../vocabulary/compose.js';
import { always, foreign, versions, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/** Longest transform that is written as a product with a matrix of its angles. */
const maxLength = 4096;

/** Cosines or sines of 2 pi k n / length for `rows` n and `columns` k. */
function table(
  node: SourceNode,
  of: (angle: number) => number,
  length: number,
  rows: number,
  columns: number,
  dtype: Value['dtype'],
): Value {
  const values = Array.from({ length: rows * columns }, (_, i) =>
    of((2 * Math.PI * ((Math.floor(i / columns) * (i % columns)) % length)) / length),
  );
  return node.graph.literal(dtype, [rows, columns], values, `${node.name}/table`);
}

/**
 * The discrete Fourier transform along the last dimension but one of [..., length, 1 or 2], as
 * products with tables: [..., bins, 2].
 */
function transform(
  node: SourceNode,
  x: Value,
  length: number,
  isInverse: boolean,
  isOneSided: boolean,
  step?: string,
): Value {
  const compose = new Compose(node);
  const shape = shapeOf(node, x);
  if (!isFloat(x.dtype)) throw node.unsupported(`it transforms ${x.dtype}`);
  const [size, parts] = shape.slice(-2);
  if (typeof size !== 'number')
    throw node.unsupported('the length of what it transforms is not known');
  if (length > maxLength || length <= 0)
    throw node.unsupported(`its length is ${length}; up to ${maxLength} are written as products`);
  const last = shape.length - 1;
  const used = Math.min(size, length);
  const bins = isOneSided ? Math.floor(length / 2) + 1 : length;
  const cut = used < size ? compose.slice(x, last - 1, 0, used, 1, 'cut') : x;
  const part = (index: number) =>
    compose.squeeze(
      compose.slice(cut, last, index, index + 1, 1, `part${index}`),
      [last],
      `flat${index}`,
    );
  const cos = table(node, Math.cos, length, used, bins, x.dtype);
  const sin = table(node, Math.sin, length, used, bins, x.dtype);
  const product = (a: Value, b: Value, name: string) => compose.binary(ops.MatMul, a, b, name);
  const re = part(0);
  // exp(-i w) = cos w - i sin w forward, and its conjugate over the length back.
  const sign = isInverse ? 1 : -1;
  let real = product(re, cos, 're_cos');
  let imaginary = compose.scale(product(re, sin, 're_sin'), sign, 're_signed');
  if (parts === 2) {
    const im = part(1);
    real = compose.binary(
      ops.Sub,
      real,
      compose.scale(product(im, sin, 'im_sin'), sign, 'im_signed'),
      'real',
    );
    imaginary = compose.binary(ops.Add, imaginary, product(im, cos, 'im_cos'), 'imaginary');
  }
  const pair = compose.concat(
    [
      compose.unsqueeze(real, [last], 'real_part'),
      compose.unsqueeze(imaginary, [last], 'imaginary_part'),
    ],
    last,
    isInverse ? 'pair' : step,
  );
  return isInverse ? compose.scale(pair, 1 / length, step) : pair;
}

const readDft =
  (axisIsOperand: boolean): ToCore =>
  (node) => {
    const x = node.input(0);
    const rank = shapeOf(node, x).length;
    const stated = axisIsOperand
      ? node.optional(2)
        ? Number(node.constant(2).data[0])
        : -2
      : node.int('axis', 1);
    const axis = axisOf(node, stated, rank);
    const [isInverse, isOneSided] = [node.int('inverse', 0) === 1, node.int('onesided', 0) === 1];
    if (isInverse && isOneSided)
      throw node.unsupported('it makes real values of one side of a spectrum');
    const given = node.optional(1) ? Number(node.constant(1).data[0]) : shapeOf(node, x)[axis];
    if (typeof given !== 'number') throw node.unsupported('its length is not known');
    const isLast = axis === rank - 2;
    const compose = new Compose(node);
    const exchange = Array.from({ length: rank }, (_, i) =>
      i === axis ? rank - 2 : i === rank - 2 ? axis : i,
    );
    const y = transform(
      node,
      isLast ? x : compose.transpose(x, exchange, 'axis_last'),
      given,
      isInverse,
      isOneSided,
      isLast ? undefined : 'spectrum',
    );
    return isLast ? y : compose.transpose(y, exchange);
  };

const readStft: ToCore = (node) => {
  const compose = new Compose(node);
  const signal = node.input(0);
  const window = node.optional(2);
  const frameStep = Number(node.constant(1).data[0]);
  const length = node.optional(3) ? Number(node.constant(3).data[0]) : window?.shape?.[0];
  const size = shapeOf(node, signal)[1];
  if (typeof length !== 'number' || size === undefined)
    throw node.unsupported('the length of its frames is not known');
  if (frameStep <= 0) throw node.malformed(`its frames are ${frameStep} apart`);
  const isFlat = shapeOf(node, signal).length === 2;
  const frames = addDim(floorDivDim(subDim(size, length), frameStep), 1);
  const count =
    typeof frames === 'number'
      ? compose.scalar('int64', frames)
      : frameCount(compose, signal, length, frameStep);
  const starts = compose.unsqueeze(
    compose.scale(compose.count(count, 'frames'), frameStep, 'starts'),
    [1],
    'rows',
  );
  const indices = compose.binary(
    ops.Add,
    starts,
    compose.count(compose.scalar('int64', length), 'places'),
    'indices',
  );
  const framed = compose.gather(
    isFlat ? compose.unsqueeze(signal, [2], 'real') : signal,
    indices,
    1,
    'framed',
  );
  const weighted = window
    ? compose.binary(ops.Mul, framed, compose.unsqueeze(window, [1], 'window'), 'weighted')
    : framed;
  return transform(node, weighted, length, false, node.int('onesided', 1) === 1);
};

function frameCount(compose: Compose, signal: Value, length: number, frameStep: number): Value {
  const room = compose.binary(
    ops.Sub,
    compose.size(signal, 1, 'size'),
    compose.scalar('int64', length),
    'room',
  );
  return compose.binary(
    ops.Add,
    compose.binary(ops.Div, room, compose.scalar('int64', frameStep), 'steps'),
    compose.scalar('int64', 1),
    'frame_count',
  );
}

/** A sum of cosines over a window: `weights[j]` times the cosine of 2 pi j n / N. */
const readWindow =
  (...weights: readonly number[]): ToCore =>
  (node) => {
    const to = dtypeOf(node.int('output_datatype', 1));
    if (!to) throw node.unsupported('its result type is unknown');
    const compose = new Compose(node);
    const size = compose.cast(node.input(0), 'int64', 'size');
    const length = compose.cast(
      node.int('periodic', 1) === 1
        ? size
        : compose.binary(ops.Sub, size, compose.scalar('int64', 1), 'symmetric'),
      'float32',
      'length',
    );
    const places = compose.cast(compose.count(size, 'places'), 'float32', 'place');
    const angle = compose.binary(
      ops.Div,
      compose.scale(places, 2 * Math.PI, 'circle'),
      length,
      'angle',
    );
    const [constant, ...others] = weights;
    const waves = others.map((weight, j) =>
      compose.scale(
        compose.unary(ops.Cos, compose.scale(angle, j + 1, `angle${j}`), `cos${j}`),
        weight,
        `wave${j}`,
      ),
    );
    const sum = waves.reduce(
      (total, wave, j) => compose.binary(ops.Add, total, wave, `sum${j}`),
      compose.scalar('float32', constant!),
    );
    return compose.cast(sum, to);
  };

/** Spectra and windows, in products and sums. */
export const signal = {
  toCore: {
    BlackmanWindow: always(readWindow(0.42, -0.5, 0.08)),
    DFT: versions([17, readDft(false)], [20, readDft(true)]),
    HammingWindow: always(readWindow(25 / 46, -21 / 46)),
    HannWindow: always(readWindow(0.5, -0.5)),
    MelWeightMatrix: foreign('its matrix is not computed here'),
    STFT: always(readStft),
  } satisfies ReadRules,
};
