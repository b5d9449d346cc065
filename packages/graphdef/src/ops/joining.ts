import { ops, type Dim, type Value } from '@drover/core';
import { exactQuotient, type WriteRules } from '@drover/core/format';
import { int } from '../vocabulary/attribute.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import { unsqueeze } from '../vocabulary/shape.js';
import type { SourceNode } from '../vocabulary/source-node.js';

function concat(node: SourceNode, inputs: readonly Value[], axis: number): Value {
  return node.graph.add(ops.Concat, { inputs }, { axis }, node.options).y;
}

const readConcat =
  (axisFirst: boolean): ToCore =>
  (node) => {
    const count = node.inputCount - 1;
    const inputs = axisFirst ? node.inputs(1) : node.inputs(0, count);
    const [axis] = node.constantInts(axisFirst ? 0 : count);
    return concat(node, inputs, node.axis(axis ?? 0, inputs[0]?.rank));
  };

const readPack: ToCore = (node) => {
  const inputs = node.inputs();
  const axis = node.axis(node.int('axis', 0), node.rank(inputs[0] ?? node.input(0)) + 1);
  return concat(
    node,
    inputs.map((x, i) => unsqueeze(node, x, axis, node.step(`row_${i}`))),
    axis,
  );
};

const split = (node: SourceNode, x: Value, axis: number, sizes: readonly Dim[]): readonly Value[] =>
  node.graph.add(ops.Split, { x }, { axis, sizes }, node.options).outputs;

const readUnpack: ToCore = (node) => {
  const x = node.input(0);
  const axis = node.axis(node.int('axis', 0), node.rank(x));
  const count = node.int('num');
  if (count === 1) return [node.graph.add(ops.Squeeze, { x }, { axes: [axis] }, node.options).y];
  const rows = split(node, x, axis, new Array<number>(count).fill(1));
  return rows.map(
    (row, i) => node.graph.add(ops.Squeeze, { x: row }, { axes: [axis] }, node.step(`row_${i}`)).y,
  );
};

/** Equal parts. */
const readSplit: ToCore = (node) => {
  const x = node.input(1);
  const [stated] = node.constantInts(0);
  const axis = node.axis(stated ?? 0, node.rank(x));
  const count = node.int('num_split');
  const part = exactQuotient(node.dims(x)[axis]!, count);
  if (part === undefined)
    throw node.unsupported(`the size it splits into ${count} parts is not known`);
  return split(node, x, axis, new Array<Dim>(count).fill(part));
};

/** Parts of given sizes, one of which may be what the others leave. */
const readSplitV: ToCore = (node) => {
  const x = node.input(0);
  const [stated] = node.constantInts(2);
  const axis = node.axis(stated ?? 0, node.rank(x));
  const sizes = node.constantInts(1);
  if (!sizes.includes(-1)) return split(node, x, axis, sizes);
  const whole = node.dims(x)[axis]!;
  const rest = sizes.reduce((sum, size) => sum + Math.max(size, 0), 0);
  if (typeof whole !== 'number') throw node.unsupported('the size it splits is not known');
  return split(
    node,
    x,
    axis,
    sizes.map((size) => (size === -1 ? whole - rest : size)),
  );
};

const toCore = {
  Concat: readConcat(true),
  ConcatV2: readConcat(false),
  Pack: readPack,
  Split: readSplit,
  SplitV: readSplitV,
  Unpack: readUnpack,
} satisfies ReadRules;

const fromCore = {
  Concat: (node, writer) => {
    const { inputs } = node.operands;
    if (inputs.length === 1) return writer.set(node.outputs[0]!, writer.ref(inputs[0]!));
    return writer.node('ConcatV2', [...inputs, writer.int(node.attrs.axis)], {}, node.outputs);
  },
  Split: (node, writer) => {
    const { axis, sizes } = node.attrs;
    if (sizes.length === 1) return writer.set(node.outputs[0]!, writer.ref(node.operands.x));
    return writer.node(
      'SplitV',
      [node.operands.x, writer.dims(sizes), writer.int(axis)],
      { num_split: int(sizes.length) },
      node.outputs,
    );
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that join tensors along a dimension or part them, both directions. */
export const joining = { toCore, fromCore };
