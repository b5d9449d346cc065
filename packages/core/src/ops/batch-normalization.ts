import { buildAlongAxis, buildScaled, computationType, inType } from '../building/normalisation.js';
import { scalar } from '../building/scalar.js';
import { isAxis } from '../constraints/axes.js';
import { canBe } from '../constraints/same-type.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { inPieces } from '../numeric/broadcast.js';
import { alongAxis } from '../numeric/standardise.js';
import { floatTypes } from '../tensor/dtype.js';
import { sizeOf, tensor, toNumbers } from '../tensor/tensor.js';
import { add } from './add.js';
import { float, int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { div } from './div.js';
import { overChannels } from './layout.js';
import { ofTerms } from './rounding.js';
import { sqrt } from './sqrt.js';
import { sub } from './sub.js';

/** Normalisation by the mean and variance of each channel that training left. */
export const batchNormalization = defineOp({
  name: 'BatchNormalization',
  summary:
    '(x - mean) / sqrt(variance + epsilon) * scale + bias, with one mean, variance, scale and bias for each index along `axis`.',
  inputs: {
    x: one(...floatTypes),
    scale: one(...floatTypes),
    bias: one(...floatTypes),
    mean: one(...floatTypes),
    variance: one(...floatTypes),
  },
  outputs: { y: one(...floatTypes) },
  attrs: { axis: int(), epsilon: float() },
  constraints: {
    C1: { says: '0 <= axis < rank(x)', holds: ({ x }, { axis }) => isAxis(axis, x) },
    C2: {
      says: 'scale, bias, mean and variance are vectors over the dimension axis of x',
      holds: ({ x, scale, bias, mean, variance }, { axis }) =>
        [scale, bias, mean, variance].every((vector) => canBe(vector, x.shape?.[axis])),
    },
  },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x, scale, bias, mean, variance }, { axis, epsilon }) => {
    const vectors = [mean, variance, scale, bias];
    if (vectors.some((vector) => sizeOf(vector.shape) !== x.shape[axis])) {
      throw coreDiagnostics.error('invalid-shape', {
        message: `The parameters of a normalisation do not fit dimension ${axis} of [${x.shape.join(', ')}].`,
        origin: { file: '' },
      });
    }
    const deviation = toNumbers(variance).map((value) => Math.sqrt(value + epsilon));
    const operands = [mean, { ...variance, data: deviation }, scale, bias].map((vector) =>
      alongAxis(vector, axis, x.shape.length),
    );
    const from = toNumbers(x);
    const data = new Float64Array(from.length);
    inPieces(operands, x.shape, (at, count, parts) => {
      const [m, d, a, b] = parts as readonly Float64Array[];
      for (let i = 0; i < count; i++)
        data[at + i] = ((from[at + i]! - m![i]!) / d![i]!) * a![i]! + b![i]!;
    });
    return { y: { dtype: x.dtype, shape: x.shape, data } };
  },
  layout: overChannels,
  rounding: (_, { axis }) => ofTerms(5, axis),
  examples: [
    {
      inputs: {
        x: tensor('float32', [1, 2, 2], [1, 3, 10, 20]),
        scale: tensor('float32', [2], [2, 3]),
        bias: tensor('float32', [2], [5, -1]),
        mean: tensor('float32', [2], [1, 10]),
        variance: tensor('float32', [2], [3, 24]),
      },
      attrs: { axis: 1, epsilon: 1 },
      outputs: { y: tensor('float32', [1, 2, 2], [5, 7, -1, 5]) },
    },
  ],
  decompose: ({ x, scale, bias, mean, variance }, { axis, epsilon }, graph) => {
    const type = computationType(x.dtype);
    const along = (vector: typeof x) => buildAlongAxis(graph, inType(graph, vector, type), axis, x);
    const shifted = graph.add(
      add,
      { a: inType(graph, variance, type), b: scalar(graph, type, epsilon) },
      {},
    ).y;
    const factor = graph.add(
      div,
      { a: inType(graph, scale, type), b: graph.add(sqrt, { x: shifted }, {}).y },
      {},
    ).y;
    const centred = graph.add(sub, { a: inType(graph, x, type), b: along(mean) }, {}).y;
    return { y: buildScaled(graph, centred, along(factor), along(bias), x.dtype) };
  },
});
