import { broadcastStrides } from '../tensor/strides.js';
import { sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';

/** The operands of an attention. */
export interface AttentionOperands {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly mask?: Tensor | undefined;
}

/** Scaled dot-product attention in float64 (see the operator Attention). */
export function attend(
  { q, k, v, mask }: AttentionOperands,
  attrs: { readonly scale: number; readonly causal: boolean; readonly softcap: number },
): Tensor {
  const [batch, heads, queries, features] = q.shape as [number, number, number, number];
  const [, groups, keys, width] = v.shape as [number, number, number, number];
  const [a, b, c, bias] = [toNumbers(q), toNumbers(k), toNumbers(v), mask && toNumbers(mask)];
  const strides = mask ? broadcastStrides(mask.shape, [batch, heads, queries, keys]) : [0, 0, 0, 0];
  const shape = [batch, heads, queries, width];
  const data = new Float64Array(sizeOf(shape));
  const scores = new Float64Array(keys);
  for (let row = 0; row < batch * heads * queries; row++) {
    const [query, head, n] = [
      row % queries,
      Math.floor(row / queries) % heads,
      Math.floor(row / queries / heads),
    ];
    const group = n * groups + Math.floor((head * groups) / heads);
    const open = attrs.causal ? Math.min(keys, query + 1) : keys;
    const masked = n * strides[0]! + head * strides[1]! + query * strides[2]!;
    let largest = -Infinity;
    for (let key = 0; key < open; key++) {
      let score = 0;
      for (let i = 0; i < features; i++)
        score += a[row * features + i]! * b[(group * keys + key) * features + i]!;
      score *= attrs.scale;
      if (attrs.softcap > 0) score = attrs.softcap * Math.tanh(score / attrs.softcap);
      if (bias)
        score =
          mask!.dtype !== 'bool'
            ? score + bias[masked + key * strides[3]!]!
            : bias[masked + key * strides[3]!]
              ? score
              : -Infinity;
      scores[key] = score;
      largest = Math.max(largest, score);
    }
    if (largest === -Infinity) continue;
    let sum = 0;
    for (let key = 0; key < open; key++) sum += scores[key] = Math.exp(scores[key]! - largest);
    for (let key = 0; key < open; key++) {
      const weight = scores[key]! / sum;
      for (let i = 0; i < width; i++)
        data[row * width + i]! += weight * c[(group * keys + key) * width + i]!;
    }
  }
  return { dtype: q.dtype, shape, data };
}
