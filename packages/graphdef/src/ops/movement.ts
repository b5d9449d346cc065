import {
  addDim,
  isStatic,
  ops,
  subDim,
  toNumbers,
  type Dim,
  type DType,
  type Node,
  type Shape,
  type Value,
} from '@drover/core';
import { bounds, exactQuotient, gap, type WriteRules } from '@drover/core/format';
import { int, ints, text } from '../vocabulary/attribute.js';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

const first: ToCore = (node) => node.input(0);

const unsqueeze = (node: SourceNode, x: Value, axis: number, step = node.options): Value => {
  if (x.constant)
    return node.graph.constant(
      x.constant.reshape(x.constant.shape.toSpliced(axis, 0, 1)),
      x.name,
      x.origin,
    );
  return node.graph.add(ops.Unsqueeze, { x }, { axes: [axis] }, step).y;
};

const readSqueeze: ToCore = (node) => {
  const x = node.input(0);
  const stated = node.ints('squeeze_dims');
  const shape = node.dims(x);
  const axes =
    stated.length > 0
      ? stated.map((axis) => node.axis(axis, shape.length)).sort((a, b) => a - b)
      : shape.flatMap((dim, i) => (dim === 1 ? [i] : []));
  if (stated.length === 0 && shape.some((dim) => typeof dim !== 'number'))
    throw node.unsupported('which dimensions are 1 is not known');
  return node.graph.add(ops.Squeeze, { x }, { axes }, node.options).y;
};

const readExpandDims: ToCore = (node) => {
  const x = node.input(0);
  const [axis] = node.constantInts(1);
  return unsqueeze(node, x, node.axis(axis ?? 0, node.rank(x) + 1));
};

const readTranspose: ToCore = (node) => {
  const x = node.input(0);
  return node.graph.add(
    ops.Transpose,
    { x },
    { perm: node.constantInts(1).map((axis) => node.axis(axis, x.rank)) },
    node.options,
  ).y;
};

/** Shapes are int32 in TensorFlow unless a node asks for int64. */
function shapeOf(node: SourceNode, x: Value, suffix = ''): Value {
  const shape = node.graph.add(ops.Shape, { x }, {}, node.step(`shape${suffix}`)).y;
  return node.cast(shape, node.has('out_type') ? node.dtype('out_type') : 'int32', `type${suffix}`);
}

const readSize: ToCore = (node) => {
  const shape = shapeOf(node, node.input(0));
  return node.graph.add(ops.ReduceProd, { x: shape }, { axes: [0], keepdims: false }, node.options)
    .y;
};

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

const expand = (node: SourceNode, value: Value, shape: Value): Value =>
  node.graph.add(ops.Expand, { x: value, shape }, { shape: null }, node.options).y;

/** A tensor of one repeated number in the shape and type of another. */
const filledLike =
  (value: number): ToCore =>
  (node) => {
    const x = node.input(0);
    const literal = node.scalar(x, value);
    if (x.shape)
      return node.graph.add(ops.Expand, { x: literal }, { shape: x.shape }, node.options).y;
    return expand(node, literal, shapeOf(node, x));
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

const readReverseSequence: ToCore = (node) => {
  const attrs = { timeAxis: node.int('seq_dim'), batchAxis: node.int('batch_dim', 0) };
  return node.graph.add(
    ops.ReverseSequence,
    { x: node.input(0), lengths: node.cast(node.input(1), 'int64', 'lengths') },
    attrs,
    node.options,
  ).y;
};

/** Pairs of amounts, one for each dimension, as all begins and then all ends. */
function padsOf(
  node: SourceNode,
  x: Value,
  pairs: Value,
): { pads: readonly Dim[] | null; operand?: Value } {
  const rank = node.rank(x);
  const amounts = pairs.elements;
  if (amounts)
    return {
      pads: [
        ...Array.from({ length: rank }, (_, i) => amounts[2 * i]!),
        ...Array.from({ length: rank }, (_, i) => amounts[2 * i + 1]!),
      ],
    };
  const columns = node.graph.add(
    ops.Transpose,
    { x: pairs },
    { perm: [1, 0] },
    node.step('columns'),
  ).y;
  return { pads: null, operand: node.reshaped(columns, [2 * rank], 'pads') };
}

const readPad =
  (modeOf: (node: SourceNode) => 'constant' | 'reflect' | 'symmetric'): ToCore =>
  (node) => {
    const x = node.input(0);
    const mode = modeOf(node);
    const { pads, operand } = padsOf(node, x, node.input(1));
    const value = mode === 'constant' ? node.optional(2) : undefined;
    return node.graph.add(
      ops.Pad,
      { x, value, ...(operand && { pads: operand }) },
      { mode, pads },
      node.options,
    ).y;
  };

const readLinSpace: ToCore = (node) => {
  const [start, stop] = [node.input(0), node.input(1)];
  const [count] = node.constantInts(2);
  if (count === undefined || count < 1)
    throw node.unsupported('how many elements it makes is not known');
  const steps = node.graph.literal(
    start.dtype,
    [count],
    Array.from({ length: count }, (_, i) => (count === 1 ? 0 : i / (count - 1))),
  );
  const range = node.graph.add(ops.Sub, { a: stop, b: start }, {}, node.step('range')).y;
  const offsets = node.graph.add(ops.Mul, { a: range, b: steps }, {}, node.step('offsets')).y;
  return node.graph.add(ops.Add, { a: start, b: offsets }, {}, node.options).y;
};

/** A band of diagonals: what lies above its upper end and below its lower end is zero. */
const readBand: ToCore = (node) => {
  const x = node.input(0);
  const [below, above] = [node.constantInts(1)[0] ?? -1, node.constantInts(2)[0] ?? -1];
  const upper =
    below < 0
      ? x
      : node.graph.add(ops.Trilu, { x }, { upper: true, k: -below }, node.step('upper')).y;
  return above < 0
    ? upper
    : node.graph.add(ops.Trilu, { x: upper }, { upper: false, k: above }, node.options).y;
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
  BroadcastTo: (node) => expand(node, node.input(0), node.input(1)),
  CheckNumerics: (node) => (node.ignore('message'), node.input(0)),
  Concat: readConcat(true),
  ConcatV2: readConcat(false),
  EnsureShape: (node) => (node.ignore('shape'), node.input(0)),
  ExpandDims: readExpandDims,
  Fill: (node) => expand(node, node.input(1), node.input(0)),
  Identity: first,
  IdentityN: (node) => node.inputs(),
  LinSpace: readLinSpace,
  MatrixBandPart: readBand,
  MirrorPad: readPad((node) => (node.text('mode') === 'SYMMETRIC' ? 'symmetric' : 'reflect')),
  OnesLike: filledLike(1),
  Pack: readPack,
  Pad: readPad(() => 'constant'),
  PadV2: readPad(() => 'constant'),
  PlaceholderWithDefault: (node) => (node.ignore('shape'), node.input(0)),
  PreventGradient: (node) => (node.ignore('message'), node.input(0)),
  Range: (node) =>
    node.graph.add(
      ops.Range,
      { start: node.input(0), limit: node.input(1), delta: node.input(2) },
      {},
      node.options,
    ).y,
  Rank: (node) => node.graph.literal('int32', [], [node.rank(node.input(0))], node.name),
  Reshape: (node) =>
    node.graph.add(
      ops.Reshape,
      { x: node.input(0), shape: node.input(1) },
      { shape: null },
      node.options,
    ).y,
  Reverse: readReverseByFlags,
  ReverseSequence: readReverseSequence,
  ReverseV2: readReverse,
  Roll: readRoll,
  Shape: (node) => shapeOf(node, node.input(0)),
  ShapeN: (node) => node.inputs().map((x, i) => shapeOf(node, x, `_${i}`)),
  Size: readSize,
  Snapshot: first,
  Split: readSplit,
  SplitV: readSplitV,
  Squeeze: readSqueeze,
  StopGradient: first,
  Tile: (node) =>
    node.graph.add(
      ops.Tile,
      { x: node.input(0), repeats: node.input(1) },
      { repeats: null },
      node.options,
    ).y,
  Transpose: readTranspose,
  Unpack: readUnpack,
  ZerosLike: filledLike(0),
} satisfies ReadRules;

/** Dimensions as an operand: the attribute's, or the operand itself where they depend on data. */
function dimsOperand(writer: GraphWriter, dims: Shape | null, operand: Value | undefined): Ref {
  return dims === null ? writer.cast(operand!, 'int32') : writer.dims(dims);
}

/** Amounts as pairs, one for each dimension. */
function padPairs(writer: GraphWriter, pads: Shape, rank: number): Ref {
  const flat = Array.from({ length: rank }, (_, i) => [pads[i]!, pads[i + rank]!]).flat();
  return isStatic(flat)
    ? writer.literal('int32', [rank, 2], flat)
    : writer.step('Reshape', [writer.dims(flat), writer.ints([rank, 2])]);
}

/**
 * The border repeated, or the other end put before and after: slices joined, one axis after the
 * other.
 */
function padByCopies(
  writer: GraphWriter,
  x: Operand,
  shape: Shape,
  pads: readonly number[],
  mode: 'edge' | 'wrap',
): Ref {
  const rank = shape.length;
  const part = (y: Operand, axis: number, from: Dim, size: number): Ref =>
    writer.step('Slice', [
      y,
      writer.dims(shape.map((_, i) => (i === axis ? from : 0))),
      writer.ints(shape.map((_, i) => (i === axis ? size : -1))),
    ]);
  return shape.reduce<Ref>((y, dim, axis) => {
    const [begin, end] = [pads[axis]!, pads[axis + rank]!];
    if (begin === 0 && end === 0) return y;
    if (mode === 'wrap' && Math.max(begin, end) > bounds(dim)[0])
      throw writer.unwritable('it may wrap round more than once');
    const repeated = (from: Dim, count: number) =>
      writer.step('Tile', [
        part(y, axis, from, 1),
        writer.ints(shape.map((_, i) => (i === axis ? count : 1))),
      ]);
    const before =
      begin === 0
        ? []
        : [mode === 'wrap' ? part(y, axis, subDim(dim, begin), begin) : repeated(0, begin)];
    const after =
      end === 0 ? [] : [mode === 'wrap' ? part(y, axis, 0, end) : repeated(subDim(dim, 1), end)];
    return writer.concat([...before, y, ...after], axis);
  }, writer.ref(x));
}

/** What negative amounts cut off. */
function cropped(writer: GraphWriter, x: Operand, shape: Shape, pads: readonly number[]): Ref {
  if (pads.every((pad) => pad >= 0)) return writer.ref(x);
  const rank = shape.length;
  const begin = shape.map((_, i) => Math.max(-pads[i]!, 0));
  const sizes = shape.map((dim, i): Dim => {
    const gone = begin[i]! + Math.max(-pads[i + rank]!, 0);
    if (gone === begin[i]) return -1;
    return subDim(dim, gone);
  });
  return writer.step('Slice', [x, writer.ints(begin), writer.dims(sizes)]);
}

function writePad(
  node: Node<typeof ops.Pad>,
  writer: GraphWriter,
): { readonly gap: string } | void {
  const { x, value, pads: operand } = node.operands;
  const { mode, pads } = node.attrs;
  const { shape } = x;
  if (!shape) return gap('the rank of its operand is not known');
  const rank = shape.length;
  const fill = value ? writer.step('Reshape', [value, writer.ints([])]) : writer.scalar(x, 0);
  if (pads === null) {
    if (mode !== 'constant') return gap('its amounts depend on data');
    const rows = writer.step('Reshape', [writer.cast(operand!, 'int32'), writer.ints([2, rank])]);
    return writer.node(
      'PadV2',
      [x, writer.step('Transpose', [rows, writer.ints([1, 0])]), fill],
      {},
      node.outputs,
    );
  }
  if (!isStatic(pads))
    return mode === 'constant'
      ? writer.node('PadV2', [x, padPairs(writer, pads, rank), fill], {}, node.outputs)
      : gap('its amounts rest on sizes that are not known');
  const kept = cropped(writer, x, shape, pads);
  const amounts = pads.map((pad) => Math.max(pad, 0));
  if (amounts.every((pad) => pad === 0)) return writer.set(node.outputs[0]!, kept);
  if (mode === 'constant')
    return writer.node('PadV2', [kept, padPairs(writer, amounts, rank), fill], {}, node.outputs);
  if (mode === 'edge' || mode === 'wrap') {
    const inner = shape.map((dim, i) =>
      addDim(dim, Math.min(pads[i]!, 0) + Math.min(pads[i + rank]!, 0)),
    );
    return writer.set(node.outputs[0]!, padByCopies(writer, kept, inner, amounts, mode));
  }
  return writer.node(
    'MirrorPad',
    [kept, padPairs(writer, amounts, rank)],
    { mode: text(mode === 'reflect' ? 'REFLECT' : 'SYMMETRIC') },
    node.outputs,
  );
}

/** A mask of one triangle: rows against columns. */
function triangle(writer: GraphWriter, rows: Dim, columns: Dim, upper: boolean, k: number): Ref {
  const range = (size: Dim, axis: number): Ref => {
    const numbers = writer.step('Range', [writer.int(0), writer.size(size), writer.int(1)]);
    return writer.step('ExpandDims', [numbers, writer.int(axis)]);
  };
  const distance = writer.step('Sub', [range(columns, 0), range(rows, 1)]);
  return writer.step(upper ? 'GreaterEqual' : 'LessEqual', [distance, writer.int(k)], {}, 'bool');
}

/** Whether TF.js can hold a type's elements in a scalar of that dtype. */
const zeroOf = (writer: GraphWriter, x: Operand, dtype: DType): Ref =>
  dtype === 'bool' ? writer.literal('bool', [], [0]) : writer.scalar(x, 0);

const fromCore = {
  Concat: (node, writer) => {
    const { inputs } = node.operands;
    if (inputs.length === 1) return writer.set(node.outputs[0]!, writer.ref(inputs[0]!));
    return writer.node('ConcatV2', [...inputs, writer.int(node.attrs.axis)], {}, node.outputs);
  },
  Dims: (node, writer) => writer.set(node.outputs[0]!, writer.dims(node.attrs.values)),
  Expand: (node, writer) => {
    const { x, shape } = node.operands;
    const result = node.outputs[0]!.shape;
    if (result && writer.canCompute(result))
      return writer.node('BroadcastTo', [x, writer.dims(result)], {}, node.outputs);
    const target = node.attrs.shape ? writer.dims(node.attrs.shape) : writer.cast(shape!, 'int32');
    const whole =
      x.shape && isStatic(x.shape) && x.shape.every((dim) => dim === 1)
        ? target
        : writer.step('BroadcastArgs', [writer.shapeOf(x), target], {}, 'int32');
    return writer.node('BroadcastTo', [x, whole], {}, node.outputs);
  },
  Pad: writePad,
  Range: (node, writer) => {
    const scalars = (node.inputs as Value[]).map((each) =>
      each.rank === 0 ? each : writer.step('Reshape', [each, writer.ints([])]),
    );
    return writer.node('Range', scalars, {}, node.outputs);
  },
  Reshape: (node, writer) => {
    const { x, shape } = node.operands;
    return writer.node(
      'Reshape',
      [
        x,
        node.attrs.shape === null ? writer.cast(shape!, 'int32') : writer.target(node.attrs.shape),
      ],
      {},
      node.outputs,
    );
  },
  Reverse: (node, writer) =>
    writer.node('ReverseV2', [node.operands.x, writer.ints(node.attrs.axes)], {}, node.outputs),
  Shape: (node, writer) => writer.set(node.outputs[0]!, writer.shapeOf(node.operands.x)),
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
  Squeeze: (node, writer) =>
    writer.node(
      'Squeeze',
      [node.operands.x],
      { squeeze_dims: ints(node.attrs.axes) },
      node.outputs,
    ),
  Tile: (node, writer) =>
    writer.node(
      'Tile',
      [node.operands.x, dimsOperand(writer, node.attrs.repeats, node.operands.repeats)],
      {},
      node.outputs,
    ),
  Transpose: (node, writer) => {
    if (node.attrs.perm.length > 6) return gap('TensorFlow.js transposes up to six dimensions');
    return writer.node(
      'Transpose',
      [node.operands.x, writer.ints(node.attrs.perm)],
      {},
      node.outputs,
    );
  },
  Trilu: (node, writer) => {
    const { x } = node.operands;
    if (!x.shape) return gap('the rank of its operand is not known');
    const mask = triangle(writer, x.shape.at(-2)!, x.shape.at(-1)!, node.attrs.upper, node.attrs.k);
    return writer.node('SelectV2', [mask, x, zeroOf(writer, x, x.dtype)], {}, node.outputs);
  },
  Unsqueeze: (node, writer) => {
    const { axes } = node.attrs;
    const [last] = axes.slice(-1);
    const y = axes
      .slice(0, -1)
      .reduce<Operand>(
        (x, axis) => writer.step('ExpandDims', [x, writer.int(axis)]),
        node.operands.x,
      );
    return last === undefined
      ? writer.set(node.outputs[0]!, writer.ref(y))
      : writer.node('ExpandDims', [y, writer.int(last)], {}, node.outputs);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that move elements or tell shapes, both directions. */
export const movement = { toCore, fromCore };
