import { ops, type Value } from '@drover/core';
import { Compose, shapeOf } from '../vocabulary/compose.js';
import { always, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { angles, joinHeads, rotate, splitHeads } from './attention.js';
import { scaled, transposed } from './linear.js';

/** The sum of a residual, its second part and an optional bias, under the name of a step. */
function residual(node: SourceNode, biasIndex: number): Value {
  const compose = new Compose(node);
  const sum = compose.binary(ops.Add, node.input(0), node.input(1), 'skip');
  const bias = node.optional(biasIndex);
  return bias ? compose.binary(ops.Add, sum, bias, 'bias') : sum;
}

function normalised(
  node: SourceNode,
  x: Value,
  epsilon: number,
  scale: Value | undefined,
  bias: Value | undefined,
): Value {
  return node.graph.add(
    ops.LayerNormalization,
    { x, scale, bias },
    { axis: shapeOf(node, x).length - 1, epsilon: node.float('epsilon', epsilon) },
    node.options,
  ).y;
}

const readSkipLayerNormalization: ToCore = (node) => {
  if (node.hasOutput(1) || node.hasOutput(2))
    throw node.unsupported('its mean or deviation is used');
  const x = residual(node, 4);
  return [normalised(node, x, 1e-12, node.optional(2), node.optional(3)), undefined, undefined, x];
};

function rootMeanSquare(
  node: SourceNode,
  x: Value,
  axis: number,
  epsilon: number,
  scale: Value | undefined,
): Value {
  if (node.hasOutput(1)) throw node.unsupported('its deviation is used');
  return node.graph.add(
    ops.RMSNormalization,
    { x, scale },
    { axis, epsilon: node.float('epsilon', epsilon) },
    node.options,
  ).y;
}

const readSimplified: ToCore = (node) => {
  node.ignore('stash_type');
  const x = node.input(0);
  const rank = shapeOf(node, x).length;
  const axis = node.int('axis', -1);
  return rootMeanSquare(node, x, axis < 0 ? axis + rank : axis, 1e-5, node.optional(1));
};

const readSkipSimplified: ToCore = (node) => {
  const x = residual(node, 3);
  return [
    rootMeanSquare(node, x, shapeOf(node, x).length - 1, 1e-12, node.optional(2)),
    undefined,
    undefined,
    x,
  ];
};

const readEmbedLayerNormalization: ToCore = (node) => {
  const compose = new Compose(node);
  const ids = node.input(0);
  const segments = node.optional(1);
  const segmentTable = node.optional(4);
  const position = node.optional(8) ?? compose.count(compose.size(ids, 1, 'length'), 'positions');
  let sum = compose.binary(
    ops.Add,
    compose.gather(node.input(2), ids, 0, 'words'),
    compose.gather(node.input(3), position, 0, 'places'),
    'sum',
  );
  if (segments && segmentTable)
    sum = compose.binary(
      ops.Add,
      sum,
      compose.gather(segmentTable, segments, 0, 'segments'),
      'segment_sum',
    );
  const y = normalised(node, sum, 1e-12, node.input(5), node.input(6));
  const mask = node.optional(7);
  // The second output counts the words of each text; without a mask it is nought.
  const type = node.int('mask_index_type', 1);
  if (!node.hasOutput(1)) return [y, undefined, sum];
  if (mask && type !== 1) throw node.unsupported(`its mask index is of kind ${type}`);
  const counted = node.graph.add(
    ops.ReduceSum,
    { x: compose.cast(mask ?? ids, 'int32', 'mask') },
    { axes: [1], keepdims: false },
    node.step('count'),
  ).y;
  return [y, mask ? counted : compose.scale(counted, 0, 'no_mask'), sum];
};

/**
 * Words that may be attended to as numbers that are added to the scores: onnxruntime adds
 * `mask_filter_value` for the others.
 */
function addedMask(
  node: SourceNode,
  mask: Value | undefined,
  bias: Value | undefined,
  dtype: Value['dtype'],
  keys: Value,
): Value | undefined {
  const filter = node.float('mask_filter_value', -10000);
  if (!mask) return bias;
  const compose = new Compose(node);
  const rank = shapeOf(node, mask).length;
  if (rank === 4) throw node.unsupported('its mask has four dimensions');
  let kept = mask;
  if (rank === 1) {
    if (
      mask.shape![0] !== shapeOf(node, keys)[0] &&
      String(mask.shape![0]) !== String(keys.shape![0])
    )
      throw node.unsupported('its mask gives starts as well as ends');
    // Lengths: the words before them are kept.
    const places = compose.cast(
      compose.count(compose.size(keys, 2, 'keys'), 'key'),
      mask.dtype,
      'place',
    );
    kept = compose.cast(
      compose.binary(ops.Less, places, compose.unsqueeze(mask, [1], 'length'), 'within'),
      dtype,
      'mask/kept',
    );
  }
  const shut = compose.binary(
    ops.Sub,
    compose.scalar(dtype, 1),
    compose.cast(kept, dtype, 'mask/float'),
    'mask/shut',
  );
  const filled = compose.unsqueeze(
    compose.scale(shut, filter, 'mask/filter'),
    rank === 3 ? [1] : [1, 2],
    'mask',
  );
  return bias ? compose.binary(ops.Add, filled, bias, 'mask/bias') : filled;
}

function attend(node: SourceNode, q: Value, k: Value, v: Value, mask: Value | undefined): Value {
  const features = q.shape?.[3];
  const stated = node.float('scale', 0);
  if (stated === 0 && typeof features !== 'number')
    throw node.unsupported('its scale follows from a size that is not known');
  const attrs = {
    scale: stated === 0 ? 1 / Math.sqrt(features as number) : stated,
    causal: node.int('unidirectional', 0) === 1,
    softcap: 0,
  };
  return joinHeads(
    node,
    node.graph.add(ops.Attention, { q, k, v, mask }, attrs, node.step('attention')).y,
  );
}

/** onnxruntime's attention of one operand: queries, keys and values are one product. */
const readAttention: ToCore = (node) => {
  if (node.optional(4) || node.hasOutput(1))
    throw node.unsupported('it keeps keys and values of earlier steps');
  if (node.int('do_rotary', 0) !== 0) throw node.unsupported('it turns queries and keys');
  node.ignore('past_present_share_buffer', 'rotary_embedding_dim');
  const compose = new Compose(node);
  const product = compose.binary(ops.MatMul, node.input(0), node.input(1), 'product');
  const bias = node.optional(2);
  const all = bias ? compose.binary(ops.Add, product, bias, 'bias') : product;
  const width = shapeOf(node, all).at(-1);
  if (typeof width !== 'number') throw node.unsupported('the number of its features is not known');
  const sizes = node.ints('qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
  const heads = node.int('num_heads');
  const [q, k, v] = compose
    .split(all, shapeOf(node, all).length - 1, sizes, 'qkv')
    .map((each, i) => splitHeads(node, each, heads, 'qkv'[i]!)) as [Value, Value, Value];
  return attend(node, q, k, v, addedMask(node, node.optional(3), node.optional(5), q.dtype, k));
};

const readMultiHeadAttention: ToCore = (node) => {
  if (node.optional(6) || node.optional(7) || node.hasOutput(1))
    throw node.unsupported('it keeps keys and values of earlier steps');
  if (node.inputCount > 8) throw node.unsupported('its cache is indirect');
  const given = [node.input(0), node.optional(1), node.optional(2)];
  if (!given.every((each): each is Value => each?.rank === 3))
    throw node.unsupported('its queries, keys and values are packed');
  const compose = new Compose(node);
  const heads = node.int('num_heads');
  const bias = node.optional(3);
  const widths = given.map((each) => each.shape![2]!);
  const biases = bias && compose.split(bias, 0, widths, 'biases');
  const [q, k, v] = given.map((each, i) =>
    splitHeads(
      node,
      biases ? compose.binary(ops.Add, each, biases[i]!, `${'qkv'[i]}/bias`) : each,
      heads,
      'qkv'[i]!,
    ),
  ) as [Value, Value, Value];
  return attend(node, q, k, v, addedMask(node, node.optional(4), node.optional(5), q.dtype, k));
};

const readRotaryEmbedding: ToCore = (node) => {
  if (node.int('is_packed_batching', 0) !== 0) throw node.unsupported('its batch is packed');
  if (node.float('scale', 1) !== 1) throw node.unsupported('it scales');
  const compose = new Compose(node);
  const [x, positions, cos, sin] = [node.input(0), node.input(1), node.input(2), node.input(3)];
  const isFlat = x.rank === 3;
  const half = shapeOf(node, cos).at(-1);
  const width = shapeOf(node, x).at(-1);
  if (typeof half !== 'number' || typeof width !== 'number')
    throw node.unsupported('the number of its features is not known');
  const stated = node.int('num_heads', 0);
  node.ignore('rotary_embedding_dim');
  const heads = stated === 0 ? width / (2 * half) : stated;
  // One position is that of the first word.
  const isFirst = shapeOf(node, positions).length === 1;
  const places = isFirst
    ? compose.binary(
        ops.Add,
        compose.count(compose.size(x, isFlat ? 1 : 2, 'length'), 'words'),
        positions,
        'positions',
      )
    : positions;
  const turn = [angles(node, cos, places, 'cos'), angles(node, sin, places, 'sin')] as const;
  const y = rotate(
    node,
    isFlat ? splitHeads(node, x, heads, 'x') : x,
    turn,
    node.int('interleaved', 0) === 1,
    !isFlat,
  );
  return isFlat ? joinHeads(node, y) : y;
};

const readBiasGelu: ToCore = (node) => {
  const bias = node.optional(1);
  const x = bias ? new Compose(node).binary(ops.Add, node.input(0), bias, 'bias') : node.input(0);
  return node.graph.add(
    ops.Gelu,
    { x },
    { approximate: node.type === 'com.microsoft.FastGelu' ? 'tanh' : 'none' },
    node.options,
  ).y;
};

const readFusedMatMul: ToCore = (node) => {
  if (node.int('transBatchA', 0) !== 0 || node.int('transBatchB', 0) !== 0)
    throw node.unsupported('it moves the batch dimension');
  const side = (index: number, attribute: string, step: string) =>
    node.int(attribute, 0) === 1 ? transposed(node, node.input(index), step) : node.input(index);
  const alpha = node.float('alpha', 1);
  const product = new Compose(node).binary(
    ops.MatMul,
    side(0, 'transA', 'a'),
    side(1, 'transB', 'b'),
    alpha === 1 ? undefined : 'product',
  );
  return scaled(node, product, alpha);
};

const readQuickGelu: ToCore = (node) => {
  const x = node.input(0);
  const compose = new Compose(node);
  const gate = compose.unary(
    ops.Sigmoid,
    compose.scale(x, node.float('alpha', 1.702), 'scale'),
    'sigmoid',
  );
  return compose.binary(ops.Mul, x, gate);
};

/**
 * onnxruntime's own operators (com.microsoft), which its optimisers leave in saved models, in
 * standard ones.
 */
export const contrib = {
  toCore: {
    // ORT keeps its fusion of root mean square normalisation in the default domain.
    SimplifiedLayerNormalization: always(readSimplified),
    'com.microsoft.Attention': always(readAttention),
    'com.microsoft.BiasGelu': always(readBiasGelu),
    'com.microsoft.EmbedLayerNormalization': always(readEmbedLayerNormalization),
    'com.microsoft.FastGelu': always(readBiasGelu),
    'com.microsoft.FusedMatMul': always(readFusedMatMul),
    'com.microsoft.Gelu': always(
      (node) =>
        node.graph.add(ops.Gelu, { x: node.input(0) }, { approximate: 'none' }, node.options).y,
    ),
    'com.microsoft.MultiHeadAttention': always(readMultiHeadAttention),
    'com.microsoft.QuickGelu': always(readQuickGelu),
    'com.microsoft.RotaryEmbedding': always(readRotaryEmbedding),
    'com.microsoft.SkipLayerNormalization': always(readSkipLayerNormalization),
    'com.microsoft.SkipSimplifiedLayerNormalization': always(readSkipSimplified),
  } satisfies ReadRules,
};
