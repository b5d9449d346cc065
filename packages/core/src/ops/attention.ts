import { scalar } from '../building/scalar.js';
import { couldEqual, sameDType } from '../constraints/same-type.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { attend } from '../numeric/attend.js';
import { sameDim } from '../tensor/dim.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { add } from './add.js';
import { bool, float } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { div } from './div.js';
import { equal } from './equal.js';
import { gather } from './gather.js';
import { greaterOrEqual } from './greater-or-equal.js';
import { fixed } from './layout.js';
import { matMul } from './mat-mul.js';
import { mul } from './mul.js';
import { range } from './range.js';
import { reduceMax } from './reduce-max.js';
import { ofTerms } from './rounding.js';
import { shape } from './shape.js';
import { softmax } from './softmax.js';
import { tanh } from './tanh.js';
import { transpose } from './transpose.js';
import { unsqueeze } from './unsqueeze.js';
import { where } from './where.js';

/**
 * Scaled dot-product attention, as ONNX Attention-25 on four dimensions without a cache: y =
 * softmax(cap(scale * q kᵀ) + mask) v over [batch, heads, sequence, features]. Heads of `k` and `v`
 * divide those of `q`, each serving a run of them. `softcap` c > 0 is cap(s) = c * tanh(s / c); 0
 * is none. The mask broadcasts to [batch, heads, queries, keys]: where bool, false shuts a key out;
 * else it is added. `causal` shuts out keys whose index is above the query's. A query with every
 * key shut out gives zeros.
 */
export const attention = defineOp({
  name: 'Attention',
  summary: 'Weights the rows of `v` by the softmax of the scaled products of `q` and `k`.',
  inputs: {
    q: one(...floatTypes),
    k: one(...floatTypes),
    v: one(...floatTypes),
    mask: optional(...floatTypes, 'bool'),
  },
  outputs: { y: one(...floatTypes) },
  attrs: { scale: float(), causal: bool(), softcap: float() },
  constraints: {
    C1: {
      says: 'q, k, v and an added mask have one element type',
      holds: ({ q, k, v, mask }) => sameDType(q, k, v, mask?.dtype === 'bool' ? undefined : mask),
    },
    C2: {
      says: 'q, k and v have four dimensions',
      holds: ({ q, k, v }) => [q, k, v].every(({ shape }) => !shape || shape.length === 4),
    },
    C3: {
      says: 'batch sizes agree, keys have the features of queries, and each key one row of v',
      holds: ({ q, k, v }) =>
        [k, v].every(({ shape }) => couldEqual(q.shape?.[0], shape?.[0])) &&
        couldEqual(q.shape?.[3], k.shape?.[3]) &&
        couldEqual(k.shape?.[2], v.shape?.[2]) &&
        couldEqual(k.shape?.[1], v.shape?.[1]),
    },
    C4: {
      says: 'the heads of k divide those of q',
      holds: ({ q, k }) => {
        const [queries, keys] = [q.shape?.[1], k.shape?.[1]];
        return (
          typeof keys !== 'number' ||
          (keys > 0 && (typeof queries !== 'number' || queries % keys === 0))
        );
      },
    },
    C5: {
      says: 'the mask broadcasts to [batch, heads, queries, keys]',
      holds: ({ q, k, mask }) => {
        if (!mask?.shape || !q.shape || !k.shape) return true;
        const scores = [...q.shape.slice(0, 3), k.shape[2]!];
        return (
          mask.shape.length <= 4 &&
          mask.shape.every(
            (dim, i) => dim === 1 || couldEqual(dim, scores[i + 4 - mask.shape!.length]),
          )
        );
      },
    },
    C6: { says: 'the softcap is not negative', holds: (_, { softcap }) => softcap >= 0 },
  },
  infer: ({ q, v }, _, { fresh }) => {
    const unknown = (i: number, shape: typeof q.shape) => shape?.[i] ?? fresh('attention');
    return {
      y: {
        dtype: q.dtype,
        shape: [unknown(0, q.shape), unknown(1, q.shape), unknown(2, q.shape), unknown(3, v.shape)],
      },
    };
  },
  evaluate: (operands, attrs) => ({ y: attend(operands, attrs) }),
  layout: fixed('it multiplies the matrices of the last two dimensions'),
  rounding: ({ q, k }) => ofTerms((Math.sqrt(k[2]!) + Math.sqrt(q[3]!)) / 2 + 6),
  examples: [
    {
      inputs: {
        q: tensor('float64', [1, 1, 2, 1], [1, 2]),
        k: tensor('float64', [1, 1, 2, 1], [0, Math.log(3)]),
        v: tensor('float64', [1, 1, 2, 1], [4, 8]),
      },
      attrs: { scale: 1, causal: false, softcap: 0 },
      outputs: { y: tensor('float64', [1, 1, 2, 1], [7, 7.6]) },
    },
    {
      inputs: {
        q: tensor('float64', [1, 2, 2, 1], [1, 2, 0, 0]),
        k: tensor('float64', [1, 1, 2, 1], [0, Math.log(3)]),
        v: tensor('float64', [1, 1, 2, 1], [4, 8]),
        mask: tensor('bool', [2, 1, 2], [true, true, false, true]),
      },
      attrs: { scale: 0.5, causal: true, softcap: 0 },
      outputs: { y: tensor('float64', [1, 2, 2, 1], [4, 7, 0, 8]) },
    },
  ],
  decompose: ({ q, k, v, mask }, attrs, graph) => {
    const number = (value: number) => scalar(graph, q.dtype, value);
    const [keys, rows] = [k, v].map((value) => headsFor(q, value, graph)) as [Value, Value];
    const products = graph.add(
      matMul,
      { a: q, b: graph.add(transpose, { x: keys }, { perm: [0, 1, 3, 2] }).y },
      {},
    ).y;
    let scores = graph.add(mul, { a: products, b: number(attrs.scale) }, {}).y;
    if (attrs.softcap > 0) {
      const capped = graph.add(
        tanh,
        { x: graph.add(div, { a: scores, b: number(attrs.softcap) }, {}).y },
        {},
      ).y;
      scores = graph.add(mul, { a: capped, b: number(attrs.softcap) }, {}).y;
    }
    if (attrs.causal)
      scores = graph.add(
        where,
        { condition: upToQuery(scores, graph), x: scores, y: number(-Infinity) },
        {},
      ).y;
    if (mask?.dtype === 'bool')
      scores = graph.add(where, { condition: mask, x: scores, y: number(-Infinity) }, {}).y;
    else if (mask) scores = graph.add(add, { a: scores, b: mask }, {}).y;
    let weights = graph.add(softmax, { x: scores }, { axis: 3 }).y;
    if (mask) {
      const largest = graph.add(reduceMax, { x: scores }, { axes: [3], keepdims: true }).y;
      const isShut = graph.add(equal, { a: largest, b: number(-Infinity) }, {}).y;
      weights = graph.add(where, { condition: isShut, x: number(0), y: weights }, {}).y;
    }
    return { y: graph.add(matMul, { a: weights, b: rows }, {}).y };
  },
});

/**
 * Keys or rows [batch, groups, keys, features], each group repeated for the run of heads of `q`
 * that it serves.
 */
function headsFor(q: Value, value: Value, graph: Graph): Value {
  const [heads, groups] = [q.shape?.[1], value.shape?.[1]];
  if (groups === 1 || (heads !== undefined && groups !== undefined && sameDim(heads, groups)))
    return value;
  if (typeof heads !== 'number' || typeof groups !== 'number') {
    throw coreDiagnostics.error('invalid-shape', {
      message: `The numbers of heads of ${q} and ${value} are not known.`,
      origin: { file: '' },
    });
  }
  const indices = Array.from({ length: heads }, (_, head) => Math.floor((head * groups) / heads));
  return graph.add(
    gather,
    { x: value, indices: graph.literal('int64', [heads], indices) },
    { axis: 1 },
  ).y;
}

/** Which keys each query may see [queries, keys]: those up to its own index. */
function upToQuery(scores: Value, graph: Graph): Value {
  const sizes = graph.add(shape, { x: scores }, {}).y;
  const [zero, one] = [0, 1].map((value) => graph.literal('int64', [], [value])) as [Value, Value];
  const indices = (axis: number) => {
    const limit = graph.add(
      gather,
      { x: sizes, indices: graph.literal('int64', [], [axis]) },
      { axis: 0 },
    ).y;
    return graph.add(range, { start: zero, limit, delta: one }, {}).y;
  };
  const queries = graph.add(unsqueeze, { x: indices(2) }, { axes: [1] }).y;
  return graph.add(greaterOrEqual, { a: queries, b: indices(3) }, {}).y;
}
