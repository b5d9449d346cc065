import { mulDim, ops, type Dim, type Value, type WriteRules } from '@drover/core';
import { float, int } from '../export/attribute.js';
import type { GraphWriter } from '../export/graph-writer.js';
import { always, type ReadRules, type ToCore } from '../import/rule.js';
import type { SourceNode } from '../import/source-node.js';

/** [batch, sequence, heads * features] becomes [batch, heads, sequence, features]. */
function splitHeads(node: SourceNode, x: Value, heads: number, step: string): Value {
  const [batch, sequence, features] = x.shape ?? [];
  if (batch === undefined || sequence === undefined || typeof features !== 'number') throw node.unsupported('the shape of its operand is not known');
  const shape: Dim[] = [batch, sequence, heads, features / heads];
  const split = node.graph.add(ops.Reshape, { x }, { shape }, node.step(`${step}/split`)).y;
  return node.graph.add(ops.Transpose, { x: split }, { perm: [0, 2, 1, 3] }, node.step(`${step}/heads`)).y;
}

const readAttention: ToCore = (node) => {
  if (node.optional(4) || node.optional(5) || node.optional(6) || node.hasOutput(1) || node.hasOutput(2)) throw node.unsupported('it uses a cache of keys and values');
  if (node.hasOutput(3)) throw node.unsupported('its scores are used');
  node.ignore('qk_matmul_output_mode', 'softmax_precision');
  const given = [node.input(0), node.input(1), node.input(2)] as const;
  const isFlat = given[0].rank === 3;
  const heads = [node.int('q_num_heads', 0), node.int('kv_num_heads', 0), node.int('kv_num_heads', 0)];
  const [q, k, v] = given.map((x, i) => (isFlat ? splitHeads(node, x, heads[i]!, 'qkv'[i]!) : x)) as [Value, Value, Value];
  const features = q.shape?.[3];
  if (!node.has('scale') && typeof features !== 'number') throw node.unsupported('its scale follows from a size that is not known');
  const attrs = {
    scale: node.has('scale') ? node.float('scale') : 1 / Math.sqrt(features as number),
    causal: node.int('is_causal', 0) === 1,
    softcap: node.float('softcap', 0),
  };
  if (attrs.causal && q.shape?.[2] !== k.shape?.[2]) throw node.unsupported('its causal mask depends on how many keys come before the queries');
  const { y } = node.graph.add(ops.Attention, { q, k, v, mask: node.optional(3) }, attrs, isFlat ? node.step('attention') : node.options);
  if (!isFlat) return y;
  const joined = node.graph.add(ops.Transpose, { x: y }, { perm: [0, 2, 1, 3] }, node.step('join')).y;
  const [batch, sequence, count, width] = joined.shape ?? [];
  if (batch === undefined || sequence === undefined || count === undefined || width === undefined) throw node.unsupported('the shape of its result is not known');
  return node.graph.add(ops.Reshape, { x: joined }, { shape: [batch, sequence, mulDim(count, width)] }, node.options).y;
};

const toCore = { Attention: always(readAttention) } satisfies ReadRules;

const fromCore = {
  Attention: (node, writer) => {
    const { scale, causal, softcap } = node.attrs;
    writer.node('Attention', node.inputs, { scale: float(scale), is_causal: int(causal), softcap: softcap === 0 ? undefined : float(softcap) }, node.outputs);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Attention, both directions. */
export const attention = { toCore, fromCore };
