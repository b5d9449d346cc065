import { attend } from '../kernels/attend.js';
import { couldEqual, sameDType } from '../kernels/same-type.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { bool, float } from './attr.js';
import { defineOp, one, optional } from './define-op.js';

/**
 * Scaled dot-product attention, as ONNX Attention-25 on four dimensions without a cache: y = softmax(cap(scale * q kᵀ) + mask) v over [batch, heads, sequence,
 * features]. Heads of `k` and `v` divide those of `q`, each serving a run of them. `softcap` c > 0 is cap(s) = c * tanh(s / c); 0 is none. The mask broadcasts to
 * [batch, heads, queries, keys]: where bool, false shuts a key out; else it is added. `causal` shuts out keys whose index is above the query's. A query with every key
 * shut out gives zeros.
 */
export const attention = defineOp({
  name: 'Attention',
  summary: 'Weights the rows of `v` by the softmax of the scaled products of `q` and `k`.',
  inputs: { q: one(...floatTypes), k: one(...floatTypes), v: one(...floatTypes), mask: optional(...floatTypes, 'bool') },
  outputs: { y: one(...floatTypes) },
  attrs: { scale: float(), causal: bool(), softcap: float() },
  constraints: {
    C1: { says: 'q, k, v and an added mask have one element type', holds: ({ q, k, v, mask }) => sameDType(q, k, v, mask?.dtype === 'bool' ? undefined : mask) },
    C2: { says: 'q, k and v have four dimensions', holds: ({ q, k, v }) => [q, k, v].every(({ shape }) => !shape || shape.length === 4) },
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
        return typeof keys !== 'number' || (keys > 0 && (typeof queries !== 'number' || queries % keys === 0));
      },
    },
    C5: {
      says: 'the mask broadcasts to [batch, heads, queries, keys]',
      holds: ({ q, k, mask }) => {
        if (!mask?.shape || !q.shape || !k.shape) return true;
        const scores = [...q.shape.slice(0, 3), k.shape[2]!];
        return mask.shape.length <= 4 && mask.shape.every((dim, i) => dim === 1 || couldEqual(dim, scores[i + 4 - mask.shape!.length]));
      },
    },
    C6: { says: 'the softcap is not negative', holds: (_, { softcap }) => softcap >= 0 },
  },
  infer: ({ q, v }, _, { fresh }) => {
    const unknown = (i: number, shape: typeof q.shape) => shape?.[i] ?? fresh('attention');
    return { y: { dtype: q.dtype, shape: [unknown(0, q.shape), unknown(1, q.shape), unknown(2, q.shape), unknown(3, v.shape)] } };
  },
  evaluate: (operands, attrs) => ({ y: attend(operands, attrs) }),
  ulp: ({ q, k }) => 3 * k[2]! + q[3]! + 8,
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
});
