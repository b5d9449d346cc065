import {
  ceilDivDim,
  maxDim,
  minDim,
  mulDim,
  ops,
  subDim,
  toNumbers,
  type Dim,
  type Shape,
  type Value,
} from '@drover/core';
import { isDataDependent, type WriteRules } from '@drover/core/format';
import { int } from '../vocabulary/attribute.js';
import { axisOf } from '../vocabulary/axis.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { constantInts, dimsOperand } from '../vocabulary/integer-operand.js';
import { versions, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/** Bounds of a slice: exporters write the ends of int64 for "to the end", which no size reaches. */
function bounds(node: SourceNode, index: number): Shape | null {
  const value = node.input(index);
  const elements = value.constant?.peek();
  if (!elements) return value.elements?.some(isDataDependent) ? null : (value.elements ?? null);
  return Array.from(toNumbers(elements), (bound) =>
    Math.min(Math.max(bound, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER),
  );
}

const readSlice: ToCore = (node) => {
  const x = node.input(0);
  const [starts, ends] = [bounds(node, 1), bounds(node, 2)];
  const operands = {
    x,
    ...(!starts && { starts: node.input(1) }),
    ...(!ends && { ends: node.input(2) }),
  };
  const count = node.input(1).shape?.[0];
  if (typeof count !== 'number') throw node.unsupported('how many axes it slices is not known');
  const axes = (constantInts(node, 3) ?? Array.from({ length: count }, (_, i) => i)).map((axis) =>
    axisOf(node, axis, x.rank),
  );
  const steps = constantInts(node, 4) ?? new Array<number>(count).fill(1);
  return node.graph.add(ops.Slice, operands, { axes, starts, ends, steps }, node.options).y;
};

const readSliceByAttributes: ToCore = (node) => {
  const x = node.input(0);
  const starts = node.ints('starts') ?? [];
  const axes = (node.ints('axes') ?? starts.map((_, i) => i)).map((axis) =>
    axisOf(node, axis, x.rank),
  );
  return node.graph.add(
    ops.Slice,
    { x },
    { axes, starts, ends: node.ints('ends') ?? [], steps: starts.map(() => 1) },
    node.options,
  ).y;
};

const splitInto = (node: SourceNode, sizes: readonly Dim[] | undefined): readonly Value[] => {
  const x = node.input(0);
  const axis = axisOf(node, node.int('axis', 0), x.rank);
  const whole = x.shape?.[axis];
  const count = node.outputCount;
  if (node.int('num_outputs', count) !== count)
    throw node.malformed(`it has ${count} outputs, and num_outputs is ${node.int('num_outputs')}`);
  if (sizes) return node.graph.add(ops.Split, { x }, { axis, sizes }, node.options).outputs;
  if (whole === undefined) throw node.unsupported('the rank of its operand is not known');
  // Equal parts; the last is smaller when the size is no multiple (opset 18).
  const part = ceilDivDim(whole, count);
  const left = (i: number) => subDim(whole, mulDim(part, i));
  const equal = Array.from({ length: count }, (_, i) =>
    typeof whole === 'number' ? maxDim(minDim(part, left(i)), 0) : i === count - 1 ? left(i) : part,
  );
  return node.graph.add(ops.Split, { x }, { axis, sizes: equal }, node.options).outputs;
};

const toCore = {
  Slice: versions([1, readSliceByAttributes], [10, readSlice]),
  Split: versions(
    [1, (node) => splitInto(node, node.ints('split'))],
    [
      13,
      (node) =>
        splitInto(
          node,
          node.optional(1) ? (node.input(1).elements ?? constantInts(node, 1)) : undefined,
        ),
    ],
  ),
} satisfies ReadRules;

const fromCore = {
  Slice: (node, writer) => {
    const { x, starts, ends } = node.operands;
    const { axes, steps } = node.attrs;
    const operands = [
      x,
      dimsOperand(writer, node.attrs.starts, starts),
      dimsOperand(writer, node.attrs.ends, ends),
      writer.ints(axes),
    ];
    writer.node(
      'Slice',
      steps.every((step) => step === 1) ? operands : [...operands, writer.ints(steps)],
      {},
      node.outputs,
    );
  },
  Split: (node, writer) =>
    writer.node(
      'Split',
      [node.operands.x, writer.dims(node.attrs.sizes)],
      { axis: int(node.attrs.axis) },
      node.outputs,
    ),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that take parts, both directions. */
export const slicing = { toCore, fromCore };
