import { ops, toNumbers } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';

const readTranspose: ToCore = (node) => {
  const x = node.input(0);
  return node.graph.add(
    ops.Transpose,
    { x },
    { perm: node.constantInts(1).map((axis) => node.axis(axis, x.rank)) },
    node.options,
  ).y;
};

const readReverse: ToCore = (node) => {
  const x = node.input(0);
  const axes = node.constantInts(1).map((axis) => node.axis(axis, x.rank));
  return node.graph.add(ops.Reverse, { x }, { axes }, node.options).y;
};

/** The first version says by a flag for each dimension whether it is turned round. */
const readReverseByFlags: ToCore = (node) => {
  const flags = toNumbers(node.constant(1));
  const axes = [...flags.keys()].filter((axis) => flags[axis] !== 0);
  return node.graph.add(ops.Reverse, { x: node.input(0) }, { axes }, node.options).y;
};

/** Slices taken off one end and put at the other. */
const readRoll: ToCore = (node) => {
  const shifts = node.constantInts(1);
  return node.constantInts(2).reduce((x, stated, i) => {
    const axis = node.axis(stated, x.rank);
    const size = node.dims(x)[axis]!;
    if (typeof size !== 'number') throw node.unsupported('the size it rolls is not known');
    const shift = size === 0 ? 0 : ((shifts[i]! % size) + size) % size;
    if (shift === 0) return x;
    const [front, back] = node.graph.add(
      ops.Split,
      { x },
      { axis, sizes: [size - shift, shift] },
      node.step(`parts_${i}`),
    ).outputs;
    return node.graph.add(
      ops.Concat,
      { inputs: [back!, front!] },
      { axis },
      node.step(`joined_${i}`),
    ).y;
  }, node.input(0));
};

const toCore = {
  Reverse: readReverseByFlags,
  ReverseV2: readReverse,
  Roll: readRoll,
  Transpose: readTranspose,
} satisfies ReadRules;

const fromCore = {
  Reverse: (node, writer) =>
    writer.node('ReverseV2', [node.operands.x, writer.ints(node.attrs.axes)], {}, node.outputs),
  Transpose: (node, writer) => {
    if (node.attrs.perm.length > 6) return gap('TensorFlow.js transposes up to six dimensions');
    return writer.node(
      'Transpose',
      [node.operands.x, writer.ints(node.attrs.perm)],
      {},
      node.outputs,
    );
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that put elements in another order, both directions. */
export const movement = { toCore, fromCore };
