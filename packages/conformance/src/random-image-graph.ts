import { ops, symbol, tensor, type DType, type Graph, type Tensor, type Value } from '@drover/core';
import type { GeneratorValue } from 'fast-check';
import { Build, drawFrom, grow, numbers } from './random-graph.js';

/**
 * Adds one node of those that images go through. Gives nothing where the drawn node does not fit.
 */
function imageNode(build: Build): Value | undefined {
  const { draw, graph } = build;
  const x = build.operand();
  const layout = draw.of('channelsFirst', 'channelsLast');
  const channels = layout === 'channelsFirst' ? 1 : 3;
  const size = x.shape![channels];
  const axis = draw.between(0, 3);
  const kernel = [draw.between(1, 3), draw.between(1, 2)];
  const padding = draw.of('explicit', 'sameUpper');
  const window = {
    layout,
    strides: [draw.between(1, 2), 1],
    // No framework pads a dilated window by the size of the image.
    dilations: [1, padding === 'explicit' ? draw.between(1, 2) : 1],
    padding,
    pads: [draw.between(0, 1), 0, draw.between(0, 1), 1],
  };
  const pads = padding === 'explicit' ? window.pads : [0, 0, 0, 0];
  const kind = draw.between(0, 19);
  if (kind === 0 && typeof size === 'number') {
    const groups = draw.of(1, size);
    const filters = groups * draw.between(1, 3);
    const w = build.constant(filters, size / groups, ...kernel);
    const bias = draw.of(true, false) ? { bias: build.constant(filters) } : {};
    return graph.add(ops.Conv, { x, w, ...bias }, { ...window, pads, groups }).y;
  }
  if (kind === 1 && typeof size === 'number') {
    const w = build.constant(size, draw.between(1, 3), ...kernel);
    const attrs = {
      layout,
      strides: window.strides,
      dilations: window.dilations,
      pads: [0, 0, 0, 0],
      outputPadding: [0, 0],
      groups: 1,
    };
    return graph.add(ops.ConvTranspose, { x, w }, { ...attrs, outputSizes: null }).y;
  }
  if (kind === 2)
    return graph.add(
      ops.MaxPool,
      { x },
      { ...window, pads, kernel: [2, 2], ceil: draw.of(true, false) },
    ).y;
  if (kind === 3)
    return graph.add(
      ops.AveragePool,
      { x },
      { ...window, dilations: [1, 1], pads, kernel: [2, 2], ceil: false, countIncludePad: false },
    ).y;
  if (kind === 4 && typeof size === 'number') {
    const [scale, bias, mean] = [build.constant(size), build.constant(size), build.constant(size)];
    const variance = graph.add(ops.Abs, { x: build.constant(size) }, {}).y;
    return graph.add(
      ops.BatchNormalization,
      { x, scale, bias, mean, variance },
      { axis: channels, epsilon: 0.5 },
    ).y;
  }
  if (kind === 5) return graph.add(draw.of(ops.Relu, ops.Neg, ops.Abs, ops.Tanh), { x }, {}).y;
  if (kind === 6 && typeof size === 'number') {
    const b = build.constant(...(layout === 'channelsFirst' ? [size, 1, 1] : [size]));
    return graph.add(draw.of(ops.Add, ops.Mul), { a: x, b }, {}).y;
  }
  if (kind === 7)
    return graph.add(draw.of(ops.Add, ops.Sub), { a: x, b: draw.of(...build.values) }, {}).y;
  if (kind === 8)
    return graph.add(ops.Concat, { inputs: [x, draw.of(...build.values)] }, { axis }).y;
  if (kind === 9) {
    const [start, step] = [draw.between(-1, 2), draw.of(1, 1, 2, -1)];
    const end = draw.of(2, 3, -1, 2 ** 31 - 1);
    return graph.add(
      ops.Slice,
      { x },
      { axes: [axis], starts: [start], ends: [end], steps: [step] },
    ).y;
  }
  if (kind === 10 && typeof x.shape![axis] === 'number' && x.shape![axis] > 1)
    return draw.of(
      ...graph.add(ops.Split, { x }, { axis, sizes: [1, x.shape![axis] - 1] }).outputs,
    );
  if (kind === 11)
    return graph.add(
      ops.Pad,
      { x },
      { mode: draw.of('constant', 'edge'), pads: numbers(8, axis).map((n) => (n > 2 ? 1 : 0)) },
    ).y;
  if (kind === 12)
    return graph.add(
      ops.Transpose,
      { x },
      { perm: draw.of([0, 2, 3, 1], [0, 3, 1, 2], [0, 1, 3, 2], [1, 0, 2, 3]) },
    ).y;
  if (kind === 13) {
    const wide = graph.add(ops.Unsqueeze, { x }, { axes: [axis] }).y;
    return graph.add(ops.Squeeze, { x: graph.add(ops.Neg, { x: wide }, {}).y }, { axes: [axis] }).y;
  }
  if (kind === 14)
    return graph.add(
      ops.ReduceMean,
      { x },
      { axes: layout === 'channelsFirst' ? [2, 3] : [1, 2], keepdims: true },
    ).y;
  if (kind === 15) return graph.add(ops.Softmax, { x }, { axis }).y;
  if (kind === 16) return graph.add(ops.Reverse, { x }, { axes: [axis] }).y;
  if (kind === 17) {
    const row = graph.add(
      ops.Gather,
      { x, indices: graph.literal('int64', [], [draw.of(0, -1)]) },
      { axis },
    ).y;
    return graph.add(ops.Unsqueeze, { x: row }, { axes: [axis] }).y;
  }
  if (kind === 18 && typeof x.shape![3] === 'number')
    return graph.add(ops.MatMul, { a: x, b: build.constant(x.shape![3], 2) }, {}).y;
  if (kind === 19 && typeof x.shape![3] === 'number') {
    const scale = build.constant(x.shape![3]);
    return graph.add(ops.LayerNormalization, { x, scale }, { axis: 3, epsilon: 0.5 }).y;
  }
  return undefined;
}

/**
 * A random graph over an image of at most `most` nodes, and what to feed it; nodes that do not fit
 * together are left out.
 */
export function imageGraph(
  g: GeneratorValue,
  dtype: DType,
  most: number,
): { readonly graph: Graph; readonly input: Tensor } {
  const draw = drawFrom(g);
  const sizes = [draw.between(1, 2), draw.between(2, 4), 5, draw.between(3, 4)];
  const isFree = draw.of(true, false);
  const names = [symbol('n'), sizes[1]!, symbol('h'), sizes[3]!];
  const input = tensor(
    dtype,
    sizes,
    numbers(
      sizes.reduce((a, b) => a * b, 1),
      0,
    ),
  );
  const build = new Build(draw, dtype, input, isFree ? names : sizes);
  grow(build, most, imageNode);
  return build;
}
