import {
  isFloat,
  isStatic,
  ops,
  sizeOf,
  type Dim,
  type Node,
  type Shape,
  type Value,
} from '@drover/core';
import { gap, type Gap, type Layout, type WriteRules } from '@drover/core/format';
import { binary, scalarOf } from '../vocabulary/build.js';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';
import { isGap, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { explicitPads, layoutOf, openPads, padded, type Window } from '../vocabulary/window.js';

const globalOps = new Map([
  ['max', ops.ReduceMax],
  ['avg', ops.ReduceMean],
  ['sum', ops.ReduceSum],
]);

function globalPool(node: SourceNode, type: string, layout: Layout): Value {
  const rank = node.shape(0).length;
  const axes = Array.from({ length: rank - 2 }, (_, i) => i + (layout === 'channelsFirst' ? 2 : 1));
  const op = globalOps.get(type);
  if (!op) throw node.unsupported(`it pools everything by ${type}`);
  return node.graph.add(op, { x: node.input(0) }, { axes, keepdims: true }, node.options).y;
}

/**
 * Pads and rounding of a pool under the `full` convention: 1 + ceil((x + 2p - k) / s) windows, also
 * those that start behind the input, which core drops. They occur only where p > k - s; then the
 * pad at the end is made so long that the windows fit.
 */
function fullPads(
  node: SourceNode,
  spatial: Shape,
  kernel: readonly number[],
  strides: readonly number[],
  pads: readonly number[],
): { pads: readonly number[]; ceil: boolean } {
  if (pads.every((pad, i) => pad <= kernel[i]! - strides[i]!))
    return { pads: [...pads, ...pads], ceil: true };
  const ends = spatial.map((size, i) => {
    if (typeof size !== 'number')
      throw node.unsupported('how many windows start behind the input is not known');
    const count = 1 + Math.ceil((size + 2 * pads[i]! - kernel[i]!) / strides[i]!);
    return Math.max(pads[i]!, (count - 1) * strides[i]! + kernel[i]! - size - pads[i]!);
  });
  return { pads: [...pads, ...ends], ceil: false };
}

const readPooling: ToCore = (node) => {
  const x = node.input(0);
  const type = node.text('pool_type') ?? 'max';
  const isGlobal = node.bool('global_pool');
  const layout = node.type === 'Pooling' ? layoutOf(node) : 'channelsFirst';
  const convention = node.text('pooling_convention');
  const kernel = node.ints('kernel') ?? [];
  const rank = kernel.length;
  if (isGlobal) {
    node.ignore('stride', 'pad', 'count_include_pad', 'p_value');
    return globalPool(node, type, layout);
  }
  const strides = node.spatial('stride', rank, 1);
  const stated = node.spatial('pad', rank, 0);
  const includes = node.type !== 'Pooling' || node.attr('count_include_pad') !== false;
  if (convention === 'same')
    throw node.unsupported('its pooling_convention is same, which MXNet does not run reliably');
  const isFull = convention === 'full';
  const shape = node.shape(0);
  const spatial = layout === 'channelsFirst' ? shape.slice(2) : shape.slice(1, -1);
  const { pads, ceil } = isFull
    ? fullPads(node, spatial, kernel, strides, stated)
    : { pads: [...stated, ...stated], ceil: false };
  const attrs = {
    layout,
    kernel,
    strides,
    dilations: kernel.map(() => 1),
    padding: 'explicit' as const,
    pads,
    ceil,
  };
  if (type === 'max') return node.graph.add(ops.MaxPool, { x }, attrs, node.options).y;
  const reachesFar = isFull && !ceil;
  if (type === 'avg') {
    if (reachesFar && includes)
      throw node.unsupported('windows that start behind the input count its padding only in part');
    return node.graph.add(
      ops.AveragePool,
      { x },
      { ...attrs, countIncludePad: includes },
      node.options,
    ).y;
  }
  if (isFull) throw node.unsupported(`it pools by ${type} under the full convention`);
  if (type === 'sum') {
    const mean = node.graph.add(
      ops.AveragePool,
      { x },
      { ...attrs, countIncludePad: true },
      node.step('mean'),
    ).y;
    return binary(
      node,
      ops.Mul,
      mean,
      scalarOf(
        node,
        x.dtype,
        kernel.reduce((a, b) => a * b, 1),
      ),
    );
  }
  const p = node.maybe('p_value');
  if (type !== 'lp' || p === undefined) throw node.unsupported(`it pools by ${type}`);
  if (p % 2 !== 0) throw node.unsupported('an odd power keeps signs in MXNet');
  return node.graph.add(ops.LpPool, { x }, { ...attrs, p }, node.options).y;
};

/**
 * Means of stretches that begin at floor(i * n / m) and end before ceil((i + 1) * n / m): one
 * matrix for each axis.
 */
const readAdaptivePooling: ToCore = (node) => {
  const x = node.input(0);
  const stated = node.ints('output_size') ?? [];
  const sizes = stated.length === 2 ? stated : new Array<number>(2).fill(stated[0] ?? 1);
  if (sizes.every((size) => size === 1))
    return node.graph.add(ops.ReduceMean, { x }, { axes: [2, 3], keepdims: true }, node.options).y;
  const spatial = node.shape(0).slice(2);
  const matrix = (n: Dim, m: number, isLeft: boolean): Value => {
    if (typeof n !== 'number')
      throw node.unsupported('its windows depend on a size that is not known');
    const rows = Array.from({ length: m }, (_, i) => {
      const [from, to] = [Math.floor((i * n) / m), Math.ceil(((i + 1) * n) / m)];
      return Array.from({ length: n }, (_, at) => (at >= from && at < to ? 1 / (to - from) : 0));
    });
    const values = isLeft
      ? rows.flat()
      : Array.from({ length: n }, (_, at) => rows.map((row) => row[at]!)).flat();
    return node.graph.literal(x.dtype, isLeft ? [m, n] : [n, m], values);
  };
  const high = node.graph.add(
    ops.MatMul,
    { a: matrix(spatial[0]!, sizes[0]!, true), b: x },
    {},
    node.step('rows'),
  ).y;
  return node.graph.add(
    ops.MatMul,
    { a: high, b: matrix(spatial[1]!, sizes[1]!, false) },
    {},
    node.options,
  ).y;
};

interface Pool extends Window {
  readonly kernel: readonly number[];
  readonly ceil: boolean;
}

/** How a pool is written: with pads at both ends, or over an operand with pads around it. */
interface PoolPlan {
  readonly x: Operand;
  readonly pad: readonly number[];
  readonly convention: 'valid' | 'full';
}

/**
 * MXNet's `full` convention has the same windows as core's `ceil` where none can start behind the
 * input; else the end pads are made as long as the windows need.
 */
function planPool(
  node: Node,
  writer: GraphWriter,
  { kernel, strides, dilations, ceil, ...window }: Pool,
  value: number,
): PoolPlan | Gap {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  if (dilations.some((dilation) => dilation !== 1))
    return gap('MXNet does not dilate the windows of pools');
  if (kernel.length > 3) return gap('MXNet pools over at most three axes');
  const pads = explicitPads(x, kernel, { strides, dilations, ...window });
  if (!pads) return openPads;
  const rank = kernel.length;
  const isEven = pads.slice(0, rank).every((pad, i) => pad === pads[i + rank]);
  if (!ceil) return { ...padded(writer, x, pads, value), convention: 'valid' };
  if (isEven && pads.slice(0, rank).every((pad, i) => pad <= kernel[i]! - strides[i]!))
    return { x, pad: pads.slice(0, rank), convention: 'full' };
  const [from, to] = [x.shape?.slice(2), y.shape?.slice(2)];
  if (!from || !to || !isStatic(from) || !isStatic(to))
    return gap(
      'how many windows it has follows from a size that is not known before the model runs',
    );
  const ends = to.map((count, i) =>
    Math.max(
      pads[i + rank]!,
      ((count as number) - 1) * strides[i]! + kernel[i]! - (from[i] as number) - pads[i]!,
    ),
  );
  return { ...padded(writer, x, [...pads.slice(0, rank), ...ends], value), convention: 'valid' };
}

function writeMaxPool(node: Node<typeof ops.MaxPool>, writer: GraphWriter): Gap | void {
  if (!isFloat(node.operands.x.dtype)) return gap('MXNet pools floats only');
  const plan = planPool(node as Node, writer, node.attrs, -Infinity);
  if (isGap(plan)) return plan;
  const { kernel, strides } = node.attrs;
  writer.node(
    'Pooling',
    [plan.x],
    {
      pool_type: 'max',
      kernel,
      stride: strides,
      pad: plan.pad,
      pooling_convention: plan.convention,
    },
    node.outputs,
  );
}

function writeAveragePool(node: Node<typeof ops.AveragePool>, writer: GraphWriter): Gap | void {
  const { x } = node.operands;
  const { kernel, strides, countIncludePad } = node.attrs;
  const pads = explicitPads(x, kernel, node.attrs);
  if (!pads) return openPads;
  const plan = planPool(node as Node, writer, node.attrs, 0);
  if (isGap(plan)) return plan;
  const isOwn = plan.x === x;
  const attributes = {
    pool_type: 'avg',
    kernel,
    stride: strides,
    pad: plan.pad,
    pooling_convention: plan.convention,
  };
  if (isOwn || (countIncludePad && !node.attrs.ceil))
    return writer.node(
      'Pooling',
      [plan.x],
      { ...attributes, count_include_pad: countIncludePad || !isOwn },
      node.outputs,
    );
  // The padding lies in the operand now: every window counts all its taps, and a factor corrects
  // the divisor.
  const [from, to] = [x.shape?.slice(2), node.outputs[0]!.shape?.slice(2)];
  if (!from || !to || !isStatic(from) || !isStatic(to))
    return gap(
      'how many elements its windows hold follows from a size that is not known before the model runs',
    );
  const factors = windowFactors(kernel, strides, pads, countIncludePad, from, to);
  const mean = writer.step('Pooling', [plan.x], { ...attributes, count_include_pad: true });
  writer.node(
    'broadcast_mul',
    [mean, writer.literal(x.dtype, [1, 1, ...to], factors)],
    {},
    node.outputs,
  );
}

/**
 * For each window the number of its taps over the number of those that count: the ones in the
 * input, or in the input and its padding.
 */
function windowFactors(
  kernel: readonly number[],
  strides: readonly number[],
  pads: readonly number[],
  includesPads: boolean,
  from: readonly number[],
  to: readonly number[],
): readonly number[] {
  const rank = kernel.length;
  return Array.from({ length: sizeOf(to) }, (_, index) => {
    let rest = index;
    let factor = 1;
    for (let axis = rank - 1; axis >= 0; axis--) {
      const start = (rest % to[axis]!) * strides[axis]!;
      rest = Math.floor(rest / to[axis]!);
      const low = includesPads ? 0 : pads[axis]!;
      const high = pads[axis]! + from[axis]! + (includesPads ? pads[axis + rank]! : 0);
      const count = Math.min(start + kernel[axis]!, high) - Math.max(start, low);
      factor *= count > 0 ? kernel[axis]! / count : 1;
    }
    return factor;
  });
}

function writeLpPool(node: Node<typeof ops.LpPool>, writer: GraphWriter): Gap | void {
  const plan = planPool(node as Node, writer, { ...node.attrs, ceil: node.attrs.ceil }, 0);
  if (isGap(plan)) return plan;
  const { kernel, strides, p } = node.attrs;
  if (![1, 2, 3].includes(p)) return gap(`MXNet pools by the powers 1, 2 and 3, not ${p}`);
  // MXNet keeps the sign of odd powers.
  const magnitude = p % 2 === 0 ? plan.x : writer.step('abs', [plan.x]);
  writer.node(
    'Pooling',
    [magnitude],
    {
      pool_type: 'lp',
      p_value: p,
      kernel,
      stride: strides,
      pad: plan.pad,
      pooling_convention: plan.convention,
    },
    node.outputs,
  );
}

const toCore = {
  Pooling: readPooling,
  Pooling_v1: readPooling,
  _contrib_AdaptiveAvgPooling2D: readAdaptivePooling,
} satisfies ReadRules;

const fromCore = {
  AveragePool: writeAveragePool,
  LpPool: writeLpPool,
  MaxPool: writeMaxPool,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Pools over images, both directions. */
export const pooling = { toCore, fromCore };
