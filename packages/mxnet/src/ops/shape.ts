import {
  floorDivDim,
  mulDim,
  ops,
  productOf,
  symbol,
  type Dim,
  type Node,
  type Shape,
} from '@drover/core';
import { exactQuotient, foldDim, gap, type Gap, type WriteRules } from '@drover/core/format';
import { reshaped } from '../vocabulary/build.js';
import type { GraphWriter, Ref } from '../vocabulary/graph-writer.js';
import { reshape } from '../vocabulary/reshape.js';
import { noSizes, unknownRank, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

function quotient(whole: Dim, part: Dim): Dim {
  return exactQuotient(whole, part) ?? floorDivDim(whole, part);
}

/**
 * The shape that MXNet's codes stand for (Reshape of 1.9): 0 keeps a dimension, -1 is what remains,
 * -2 keeps all that follow, -3 joins two, -4 splits one into the next two entries. Each entry moves
 * the place in the source on, -3 by two.
 */
function decodeShape(node: SourceNode, source: Shape, codes: readonly number[]): Shape {
  const out: Dim[] = [];
  let at = 0;
  let open = -1;
  const next = (): Dim => {
    const dim = source[at++];
    if (dim === undefined)
      throw node.unsupported(
        `its shape (${codes.join(', ')}) asks for more dimensions than there are`,
      );
    return dim;
  };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code > 0) {
      out.push(code);
      at++;
    } else if (code === 0) out.push(next());
    else if (code === -1) {
      open = out.length;
      out.push(1);
      at++;
    } else if (code === -2) {
      out.push(...source.slice(at));
      at = source.length;
    } else if (code === -3) out.push(mulDim(next(), next()));
    else if (code === -4) {
      const whole = next();
      const [left, right] = [codes[++i], codes[++i]];
      if (left === undefined || right === undefined)
        throw node.unsupported(`its shape (${codes.join(', ')}) ends within a split`);
      out.push(
        left === -1 ? quotient(whole, right) : left,
        right === -1 ? quotient(whole, left) : right,
      );
    } else throw node.unsupported(`its shape has the code ${code}`);
  }
  if (open >= 0) out[open] = quotient(productOf(source), productOf(out));
  return out;
}

const readReshape: ToCore = (node) => {
  const x = node.input(0);
  const codes = node.ints('shape') ?? [];
  const target = node.ints('target_shape') ?? [];
  const keepsFirst = node.bool('keep_highest');
  const reverse = node.bool('reverse');
  if (codes.length === 0 && target.length > 0) {
    const source = node.shape(0);
    const settled = target.map((dim, i): Dim => (i === 0 && keepsFirst ? source[0]! : dim));
    const open = settled.indexOf(0);
    if (open >= 0)
      settled[open] = quotient(
        productOf(source),
        productOf(settled.map((dim) => (dim === 0 ? 1 : dim))),
      );
    return reshaped(node, x, settled);
  }
  if (!x.shape && codes.every((code) => code > 0 || code === -1)) return reshaped(node, x, codes);
  const source = node.shape(0);
  if (!reverse) return reshaped(node, x, decodeShape(node, source, codes));
  if (codes.includes(-4)) throw node.unsupported('it splits dimensions from the right');
  return reshaped(
    node,
    x,
    [...decodeShape(node, [...source].reverse(), [...codes].reverse())].reverse(),
  );
};

/**
 * NumPy mode has codes of its own: -1 is what remains, -2 keeps, -3 drops a 1, -4 keeps the rest,
 * -5 joins two, -6 splits.
 */
const readNpxReshape: ToCore = (node) => {
  node.ignore('order');
  const codes = node.ints('newshape') ?? [];
  if (node.bool('reverse')) throw node.unsupported('it reads the shape from the right');
  const source = node.shape(0);
  const drops: number[] = [];
  const legacy = codes.map(
    (code) => ({ [-1]: -1, [-2]: 0, [-4]: -2, [-5]: -3, [-6]: -4 })[code] ?? code,
  );
  if (codes.includes(-3)) {
    if (codes.some((code) => code < -3))
      throw node.unsupported('it drops a dimension beside joining or splitting others');
    codes.forEach((code, i) => code === -3 && drops.push(i));
  }
  const kept = source.filter((_, i) => !drops.includes(i));
  return reshaped(
    node,
    node.input(0),
    decodeShape(
      node,
      kept,
      legacy.filter((_, i) => !drops.includes(i)),
    ),
  );
};

const readNpReshape: ToCore = (node) => {
  node.ignore('order');
  return reshaped(node, node.input(0), node.ints('newshape') ?? []);
};

const readSqueeze: ToCore = (node) => {
  const shape = node.shape(0);
  const stated = node.ints('axis');
  const axes = stated
    ? stated.map((axis) => node.axisOf(axis, shape.length))
    : shape.flatMap((dim, i) => (dim === 1 ? [i] : []));
  // Legacy operators have no scalars: of a tensor of one element the last dimension stays.
  const isWhole = axes.length === shape.length && node.type === 'squeeze';
  return node.graph.add(
    ops.Squeeze,
    { x: node.input(0) },
    { axes: [...axes].sort((a, b) => a - b).slice(isWhole ? 1 : 0) },
    node.options,
  ).y;
};

const readReshapeLike: ToCore = (node) => {
  const [from, like] = [node.shape(0), node.shape(1)];
  const range = (side: 'lhs' | 'rhs', rank: number): [number, number] => {
    const settle = (value: number) => (value < 0 ? value + rank : value);
    return [settle(node.maybe(`${side}_begin`) ?? 0), settle(node.maybe(`${side}_end`) ?? rank)];
  };
  const [a, b] = range('lhs', from.length);
  const [c, d] = range('rhs', like.length);
  return reshaped(node, node.input(0), [
    ...from.slice(0, a),
    ...like.slice(c, d),
    ...from.slice(b),
  ]);
};

const readShape: ToCore = (node) =>
  node.graph.add(ops.Shape, { x: node.input(0) }, {}, node.options).y;

/** The same elements in the shape of the result. */
function writeReshaped(node: Node, writer: GraphWriter): Gap | void {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  if (!x.shape || !y.shape) return unknownRank;
  const ref = reshape(writer, x, x.shape, y.shape);
  if (!ref) return noSizes(y.shape);
  writer.bind(y, ref);
}

function writeUnsqueeze(node: Node<typeof ops.Unsqueeze>, writer: GraphWriter): void {
  const { x } = node.operands;
  let ref: Ref = writer.ref(x);
  // What core holds as a scalar already has one dimension here.
  const axes = x.rank === 0 ? node.attrs.axes.slice(1) : node.attrs.axes;
  if (axes.length === 0) return writer.bind(node.outputs[0]!, ref);
  for (const axis of axes.slice(0, -1)) ref = writer.step('expand_dims', [ref], { axis });
  writer.node('expand_dims', [ref], { axis: axes.at(-1)! }, node.outputs);
}

function writeSqueeze(node: Node<typeof ops.Squeeze>, writer: GraphWriter): void {
  const { x } = node.operands;
  const isWhole = x.rank === node.attrs.axes.length;
  const axis = isWhole ? node.attrs.axes.slice(1) : node.attrs.axes;
  if (axis.length === 0) return writer.bind(node.outputs[0]!, writer.ref(x));
  writer.node('squeeze', [x], { axis }, node.outputs);
}

/** A dimension as a list of one int64, computed from shapes; undefined when they do not tell it. */
function dimRef(writer: GraphWriter, dim: Dim): Ref | undefined {
  const whole = writer.sizeOf(dim);
  if (whole) return whole;
  const combine = (op: string) => (a: Ref | undefined, b: Ref | undefined) =>
    a && b && writer.step(op, [a, b]);
  return foldDim<Ref | undefined>(dim, {
    constant: (value) => writer.literal('int64', [1], [value]),
    symbol: (name) => writer.sizeOf(symbol(name)),
    add: combine('broadcast_add'),
    mul: combine('broadcast_mul'),
    floordiv: combine('broadcast_div'),
    min: combine('broadcast_minimum'),
    max: combine('broadcast_maximum'),
  });
}

function writeDims(node: Node<typeof ops.Dims>, writer: GraphWriter): Gap | void {
  const parts = node.attrs.values.map((dim) => dimRef(writer, dim));
  const known = parts.filter((part) => part !== undefined);
  if (known.length < parts.length) return gap('it asks for a size that the inputs do not tell');
  if (known.length === 1) return writer.bind(node.outputs[0]!, known[0]!);
  writer.node('Concat', known, { num_args: known.length, dim: 0 }, node.outputs);
}

const toCore = {
  Flatten: (node) => {
    const shape = node.shape(0);
    return reshaped(node, node.input(0), [shape[0] ?? 1, productOf(shape.slice(1))]);
  },
  Reshape: readReshape,
  _np_reshape: readNpReshape,
  _np_squeeze: readSqueeze,
  _npx_reshape: readNpxReshape,
  expand_dims: (node) =>
    node.graph.add(
      ops.Unsqueeze,
      { x: node.input(0) },
      { axes: [node.axis('axis', node.shape(0).length + 1)] },
      node.options,
    ).y,
  reshape_like: readReshapeLike,
  shape_array: readShape,
  size_array: (node) => {
    const shape = node.graph.add(ops.Shape, { x: node.input(0) }, {}, node.step('shape')).y;
    return node.graph.add(ops.ReduceProd, { x: shape }, { axes: [0], keepdims: true }, node.options)
      .y;
  },
  squeeze: readSqueeze,
} satisfies ReadRules;

const fromCore = {
  Dims: writeDims,
  Reshape: (node, writer) => writeReshaped(node as Node, writer),
  Shape: (node, writer) => {
    if (node.operands.x.rank === 0) return gap('a scalar has no sizes');
    return writer.node('shape_array', [node.operands.x], {}, node.outputs);
  },
  Squeeze: writeSqueeze,
  Unsqueeze: writeUnsqueeze,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that tell shapes or change them without moving elements, both directions. */
export const shape = { toCore, fromCore };
