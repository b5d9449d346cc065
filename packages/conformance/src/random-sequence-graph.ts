import {
  ops,
  symbol,
  tensor,
  type Dim,
  type DType,
  type Graph,
  type Tensor,
  type Value,
} from '@drover/core';
import type { GeneratorValue } from 'fast-check';
import { Build, drawFrom, grow, numbers } from './random-graph.js';

/** A recurrent operator over [time, batch, features], its directions side by side. */
function recurrent(build: Build, x: Value): Value | undefined {
  const { draw, graph } = build;
  const features = x.shape![2];
  if (x.rank !== 3 || typeof features !== 'number') return undefined;
  const [size, direction] = [3, draw.of('forward', 'reverse', 'bidirectional')];
  const directions = direction === 'bidirectional' ? 2 : 1;
  const [op, gates, activations, extra] = draw.of(
    [ops.LSTM, 4, ['Sigmoid', 'Tanh', 'Tanh'], { inputForget: false }] as const,
    [ops.GRU, 3, ['Sigmoid', 'Tanh'], { linearBeforeReset: true }] as const,
    [ops.GRU, 3, ['Sigmoid', 'Tanh'], { linearBeforeReset: false }] as const,
    [ops.RNN, 1, ['Tanh'], {}] as const,
  );
  const operands = {
    x,
    w: build.constant(directions, gates * size, features),
    r: build.constant(directions, gates * size, size),
    b: build.constant(directions, 2 * gates * size),
  };
  const names = Array.from({ length: directions }, () => activations).flat();
  const attrs = {
    hiddenSize: size,
    direction,
    activations: names,
    activationAlpha: [],
    activationBeta: [],
    clip: null,
    ...extra,
  };
  const { y } = graph.add(op, operands as never, attrs as never) as { readonly y: Value };
  const parts = graph.add(
    ops.Split,
    { x: y },
    { axis: 1, sizes: Array<number>(directions).fill(1) },
  ).outputs;
  return graph.add(ops.Squeeze, { x: parts.at(-1)! }, { axes: [1] }).y;
}

/**
 * Adds one node of those that sequences go through. Gives nothing where the drawn node does not
 * fit.
 */
function sequenceNode(build: Build): Value | undefined {
  const { draw, graph } = build;
  const x = build.operand();
  const rank = x.rank!;
  const axis = draw.between(0, rank - 1);
  const last = x.shape!.at(-1);
  const size = x.shape![axis];
  const kind = draw.between(0, 21);
  if (kind === 0 && typeof last === 'number')
    return graph.add(ops.MatMul, { a: x, b: build.constant(last, draw.between(1, 4)) }, {}).y;
  if (kind === 1 && rank >= 2) {
    const perm = Array.from({ length: rank }, (_, i) =>
      i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i,
    );
    return graph.add(ops.MatMul, { a: x, b: graph.add(ops.Transpose, { x }, { perm }).y }, {}).y;
  }
  if (kind === 2 && typeof last === 'number')
    return graph.add(draw.of(ops.Add, ops.Mul, ops.Sub), { a: x, b: build.constant(last) }, {}).y;
  if (kind === 3)
    return graph.add(draw.of(ops.Add, ops.Mul), { a: x, b: draw.of(...build.values) }, {}).y;
  if (kind === 4) return graph.add(draw.of(ops.Softmax, ops.LogSoftmax), { x }, { axis }).y;
  if (kind === 5 && typeof last === 'number')
    return graph.add(
      ops.LayerNormalization,
      { x, scale: build.constant(last), bias: build.constant(last) },
      { axis: rank - 1, epsilon: 0.5 },
    ).y;
  if (kind === 6) {
    const turn = draw.between(1, Math.max(rank - 1, 1));
    return graph.add(
      ops.Transpose,
      { x },
      { perm: Array.from({ length: rank }, (_, i) => (i + turn) % rank) },
    ).y;
  }
  if (kind === 7 && axis + 1 < rank) {
    const shape = x.shape!.flatMap((dim, i) => (i === axis ? [-1] : i === axis + 1 ? [] : [dim]));
    return graph.add(ops.Reshape, { x }, { shape }).y;
  }
  if (kind === 8 && typeof size === 'number' && size % 2 === 0 && rank < 5) {
    const shape = x.shape!.flatMap((dim, i) =>
      i === axis ? draw.of([2, size / 2], [size / 2, 2]) : [dim],
    );
    return graph.add(ops.Reshape, { x }, { shape }).y;
  }
  if (kind === 9 && rank < 5) return graph.add(ops.Unsqueeze, { x }, { axes: [axis] }).y;
  if (kind === 10)
    return graph.add(ops.Concat, { inputs: [x, draw.of(x, ...build.values)] }, { axis }).y;
  if (kind === 11)
    return graph.add(
      ops.Slice,
      { x },
      { axes: [axis], starts: [draw.between(-1, 1)], ends: [draw.of(2, 2 ** 31 - 1)], steps: [1] },
    ).y;
  if (kind === 12)
    return graph.add(ops.Gather, { x, indices: graph.literal('int64', [3], [0, -1, 0]) }, { axis })
      .y;
  if (kind === 13) {
    const op = draw.of(ops.ReduceSum, ops.ReduceMean, ops.ReduceMax, ops.ReduceMin, ops.ReduceL2);
    return graph.add(op, { x }, { axes: [axis], keepdims: rank < 2 || draw.of(true, false) }).y;
  }
  if (kind === 14)
    return graph.add(
      ops.CumSum,
      { x },
      { axis, exclusive: draw.of(true, false), reverse: draw.of(true, false) },
    ).y;
  if (kind === 15)
    return graph.add(ops.Tile, { x }, { repeats: x.shape!.map((_, i) => (i === axis ? 2 : 1)) }).y;
  if (kind === 16) {
    const [input] = build.values;
    const condition = graph.add(ops.Less, { a: input!, b: build.constant() }, {}).y;
    return graph.add(ops.Where, { condition, x, y: build.constant() }, {}).y;
  }
  if (kind === 17)
    return graph.add(draw.of(ops.Sigmoid, ops.Tanh, ops.Erf, ops.Relu, ops.HardSwish), { x }, {}).y;
  if (kind === 18) return graph.add(ops.Gelu, { x }, { approximate: draw.of('none', 'tanh') }).y;
  if (kind === 19) return graph.add(ops.Reverse, { x }, { axes: [axis] }).y;
  if (kind === 20) return recurrent(build, x);
  if (kind === 21)
    return graph.add(ops.Trilu, { x }, { upper: draw.of(true, false), k: draw.between(-1, 1) }).y;
  return undefined;
}

/**
 * A random graph over a sequence of at most `most` nodes, and what to feed it; nodes that do not
 * fit together are left out.
 */
export function sequenceGraph(
  g: GeneratorValue,
  dtype: DType,
  most: number,
): { readonly graph: Graph; readonly input: Tensor } {
  const draw = drawFrom(g);
  const sizes = [5, draw.between(2, 3), draw.between(3, 4)];
  const count = sizes.reduce((a, b) => a * b, 1);
  const input = tensor(
    dtype,
    sizes,
    numbers(count, 0).map((value) => value / 4),
  );
  const build = new Build(
    draw,
    dtype,
    input,
    draw.of<readonly Dim[]>([symbol('t'), symbol('n'), sizes[2]!], sizes),
  );
  grow(build, most, sequenceNode);
  return build;
}
