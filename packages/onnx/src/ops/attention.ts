import { mulDim, ops, type Dim, type Value } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import { float, int } from '../vocabulary/attribute.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { Compose, shapeOf } from '../vocabulary/compose.js';
import { always, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/** [batch, sequence, heads * features] becomes [batch, heads, sequence, features]. */
export function splitHeads(node: SourceNode, x: Value, heads: number, step: string): Value {
  const [batch, sequence, features] = shapeOf(node, x);
  if (batch === undefined || sequence === undefined || typeof features !== 'number')
    throw node.unsupported('the number of features of its operand is not known');
  if (heads <= 0 || features % heads !== 0)
    throw node.malformed(`${features} features do not fall into ${heads} heads`);
  const shape: Dim[] = [batch, sequence, heads, features / heads];
  const compose = new Compose(node);
  return compose.transpose(
    compose.reshape(x, shape, `${step}/split`),
    [0, 2, 1, 3],
    `${step}/heads`,
  );
}

/** The inverse of {@link splitHeads}. */
export function joinHeads(node: SourceNode, x: Value): Value {
  const compose = new Compose(node);
  const joined = compose.transpose(x, [0, 2, 1, 3], 'join');
  const [batch, sequence, count, width] = shapeOf(node, joined);
  if (batch === undefined || sequence === undefined || count === undefined || width === undefined)
    throw node.unsupported('its operand has not four dimensions');
  return compose.reshape(joined, [batch, sequence, mulDim(count, width)]);
}

/** Keys or values of earlier steps come before the new ones. */
function withPast(node: SourceNode, past: Value | undefined, x: Value, step: string): Value {
  return past ? new Compose(node).concat([past, x], 2, step) : x;
}

const readAttention: ToCore = (node) => {
  if (node.optional(6)) throw node.unsupported('it counts the keys that are no padding');
  if (node.hasOutput(3)) throw node.unsupported('its scores are used');
  if (node.int('left_window_size', -1) !== -1 || node.int('right_window_size', -1) !== -1)
    throw node.unsupported('it attends within a window');
  node.ignore('qk_matmul_output_mode', 'softmax_precision');
  const given = [node.input(0), node.input(1), node.input(2)] as const;
  const isFlat = given[0].rank === 3;
  const count = (name: string) => node.int(name, isFlat ? undefined : 0);
  const heads = [count('q_num_heads'), count('kv_num_heads'), count('kv_num_heads')];
  const [q, newK, newV] = given.map((x, i) =>
    isFlat ? splitHeads(node, x, heads[i]!, 'qkv'[i]!) : x,
  ) as [Value, Value, Value];
  const k = withPast(node, node.optional(4), newK, 'keys');
  const v = withPast(node, node.optional(5), newV, 'values');
  const features = q.shape?.[3];
  if (!node.has('scale') && typeof features !== 'number')
    throw node.unsupported('its scale follows from a size that is not known');
  const attrs = {
    scale: node.has('scale') ? node.float('scale') : 1 / Math.sqrt(features as number),
    causal: node.int('is_causal', 0) === 1,
    softcap: node.float('softcap', 0),
  };
  if (attrs.causal && String(q.shape?.[2]) !== String(k.shape?.[2]))
    throw node.unsupported('its causal mask depends on how many keys come before the queries');
  const { y } = node.graph.add(
    ops.Attention,
    { q, k, v, mask: node.optional(3) },
    attrs,
    isFlat ? node.step('attention') : node.options,
  );
  return [isFlat ? joinHeads(node, y) : y, k, v];
};

/**
 * Pairs of features turned by the angles of their position: halves of the features, or neighbours
 * where interleaved.
 */
export function rotate(
  node: SourceNode,
  x: Value,
  [cos, sin]: readonly [Value, Value],
  isInterleaved: boolean,
  isLast: boolean,
): Value {
  const compose = new Compose(node);
  const shape = shapeOf(node, x);
  const width = shape.at(-1);
  const half = cos.shape?.at(-1);
  if (typeof width !== 'number' || typeof half !== 'number')
    throw node.unsupported('the number of features of its operand is not known');
  const axis = shape.length - 1;
  const rest = width - 2 * half;
  if (rest < 0) throw node.malformed(`it turns ${2 * half} of ${width} features`);
  const [turned, kept] =
    rest > 0 ? compose.split(x, axis, [2 * half, rest], 'part') : [x, undefined];
  const [first, second] = isInterleaved
    ? [
        compose.slice(turned!, axis, 0, 2 * half, 2, 'even'),
        compose.slice(turned!, axis, 1, 2 * half, 2, 'odd'),
      ]
    : (compose.split(turned!, axis, [half, half], 'halves') as [Value, Value]);
  const times = (a: Value, b: Value, step: string) => compose.binary(ops.Mul, a, b, step);
  const real = compose.binary(
    ops.Sub,
    times(first, cos, 'first_cos'),
    times(second, sin, 'second_sin'),
    'real',
  );
  const imaginary = compose.binary(
    ops.Add,
    times(first, sin, 'first_sin'),
    times(second, cos, 'second_cos'),
    'imaginary',
  );
  const isWhole = isLast && !kept;
  const pairs = isInterleaved
    ? compose.reshape(
        compose.concat(
          [
            compose.unsqueeze(real, [axis + 1], 'real_pair'),
            compose.unsqueeze(imaginary, [axis + 1], 'imaginary_pair'),
          ],
          axis + 1,
          'pairs',
        ),
        [...shape.slice(0, axis), 2 * half],
        isWhole ? undefined : 'interleaved',
      )
    : compose.concat([real, imaginary], axis, isWhole ? undefined : 'turned');
  return kept ? compose.concat([pairs, kept], axis, isLast ? undefined : 'whole') : pairs;
}

/**
 * Cosines or sines of the positions, as [batch, 1, sequence, half] for operands of four dimensions.
 */
export function angles(
  node: SourceNode,
  cache: Value,
  positions: Value | undefined,
  step: string,
): Value {
  const compose = new Compose(node);
  const rows = positions ? compose.gather(cache, positions, 0, `${step}/rows`) : cache;
  if (rows.rank === 2) return rows;
  return compose.unsqueeze(rows, [1], step);
}

const readRotaryEmbedding: ToCore = (node) => {
  const x = node.input(0);
  const isFlat = x.rank === 3;
  const heads = node.int('num_heads', isFlat ? undefined : 0);
  node.ignore('rotary_embedding_dim');
  const positions = node.optional(3);
  const turn = [
    angles(node, node.input(1), positions, 'cos'),
    angles(node, node.input(2), positions, 'sin'),
  ] as const;
  const y = rotate(
    node,
    isFlat ? splitHeads(node, x, heads, 'x') : x,
    turn,
    node.int('interleaved', 0) === 1,
    !isFlat,
  );
  return isFlat ? joinHeads(node, y) : y;
};

const toCore = {
  Attention: always(readAttention),
  RotaryEmbedding: always(readRotaryEmbedding),
} satisfies ReadRules;

const fromCore = {
  Attention: (node, writer) => {
    const { scale, causal, softcap } = node.attrs;
    writer.node(
      'Attention',
      node.inputs,
      {
        scale: float(scale),
        is_causal: int(causal),
        softcap: softcap === 0 ? undefined : float(softcap),
      },
      node.outputs,
    );
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Attention, both directions. */
export const attention = { toCore, fromCore };
