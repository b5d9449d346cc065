import {
  ceilDivDim,
  isFloat,
  isStatic,
  maxDim,
  minDim,
  mulDim,
  ops,
  productOf,
  sameDim,
  subDim,
  toNumbers,
  type AttrValues,
  type DType,
  type Dim,
  type Node,
  type Shape,
  type Value,
} from '@drover/core';
import { gap, isDataDependent, type Gap, type WriteRules, valueOf } from '@drover/core/format';
import { dataTypeOf } from '../codec/data-type.js';
import { int, ints, text } from '../vocabulary/attribute.js';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';
import { Compose } from '../vocabulary/compose.js';
import { always, versions, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { meaningOf } from '../vocabulary/word.js';

/**
 * A non-negative axis of a value, from one that may count from the end. Throws `onnx/graph` when
 * there is no such axis.
 */
export function axisOf(node: SourceNode, axis: number, rank: number | undefined): number {
  if (rank !== undefined && (axis >= rank || axis < -rank))
    throw node.malformed(`axis ${axis} is none of the ${rank} of its operand`);
  if (axis >= 0) return axis;
  if (rank === undefined)
    throw node.unsupported(`it counts axis ${axis} from the end of a value of unknown rank`);
  return axis + rank;
}

/**
 * Integers that are an attribute before a version and a constant operand from it on; undefined when
 * left out.
 */
export function constantInts(node: SourceNode, index: number): readonly number[] | undefined {
  return node.optional(index) && Array.from(toNumbers(node.constant(index)));
}

const axesOf = (node: SourceNode, axes: readonly number[], rank: number | undefined) =>
  axes.map((axis) => axisOf(node, axis, rank)).sort((a, b) => a - b);

const readSqueeze =
  (given: (node: SourceNode) => readonly number[] | undefined): ToCore =>
  (node) => {
    const x = node.input(0);
    const stated = given(node);
    if (!stated && !x.shape) throw node.unsupported('which dimensions are 1 is not known');
    const axes = stated
      ? axesOf(node, stated, x.rank)
      : x.shape!.flatMap((dim, i) => (dim === 1 ? [i] : []));
    return node.graph.add(ops.Squeeze, { x }, { axes }, node.options).y;
  };

const readUnsqueeze =
  (given: (node: SourceNode) => readonly number[] | undefined): ToCore =>
  (node) => {
    const x = node.input(0);
    const stated = given(node) ?? [];
    const axes = axesOf(node, stated, x.rank === undefined ? undefined : x.rank + stated.length);
    return node.graph.add(ops.Unsqueeze, { x }, { axes }, node.options).y;
  };

/** Most dimensions of a tensor: runtimes stop far below. */
const maxRank = 64;

/** An operand that states a shape. A short file can declare one of any length, so it is checked. */
function shapeOperand(node: SourceNode, index: number): Value {
  const shape = node.input(index);
  const rank = shape.shape?.[0];
  if (typeof rank === 'number' && rank > maxRank)
    throw node.malformed(`its result would have ${rank} dimensions`);
  return shape;
}

/**
 * A shape that depends on data, in which a 0 stands for the dimension of the operand in its place;
 * as it is where it was computed, or nothing tells how many there are.
 */
function copiedSizes(node: SourceNode, x: Value, shape: Value): Value {
  const [count] = shape.shape ?? [];
  if (typeof count !== 'number' || x.rank === undefined || shape.producer) return shape;
  const compose = new Compose(node);
  const own = node.graph.add(ops.Shape, { x }, {}, node.step('sizes')).y;
  const kept = count < x.rank ? compose.slice(own, 0, 0, count, 1, 'kept') : own;
  const sizes =
    count > x.rank
      ? compose.concat([kept, compose.ints(new Array<number>(count - x.rank).fill(0))], 0, 'places')
      : kept;
  const isCopied = compose.binary(ops.Equal, shape, compose.scalar('int64', 0), 'is_copied');
  return compose.where(isCopied, sizes, shape, 'settled');
}

/** Entries of 0 copy the dimension at their place, unless `allowzero`. */
const readReshape: ToCore = (node) => {
  const [x, shape] = [node.input(0), shapeOperand(node, 1)];
  const allowZero = node.int('allowzero', 0) === 1;
  const target = shape.elements;
  if (!target && !allowZero)
    return node.graph.add(
      ops.Reshape,
      { x, shape: copiedSizes(node, x, shape) },
      { shape: null },
      node.options,
    ).y;
  if (!target || allowZero || !target.includes(0))
    return node.graph.add(ops.Reshape, { x, shape }, { shape: null }, node.options).y;
  if (!x.shape) throw node.unsupported('it copies dimensions of a value of unknown rank');
  const settled = target.map((dim, i) => (dim === 0 ? (x.shape![i] ?? 0) : dim));
  return node.graph.add(ops.Reshape, { x }, { shape: settled }, node.options).y;
};

const readFlatten: ToCore = (node) => {
  const x = node.input(0);
  if (!x.shape) throw node.unsupported('the rank of its operand is not known');
  const stated = node.int('axis', 1);
  // Flatten may be told to take all dimensions before the axis.
  const axis = stated === x.rank ? stated : axisOf(node, stated, x.rank);
  return node.graph.add(
    ops.Reshape,
    { x },
    { shape: [productOf(x.shape.slice(0, axis)), productOf(x.shape.slice(axis))] },
    node.options,
  ).y;
};

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

type PadMode = AttrValues<(typeof ops.Pad)['attrs']>['mode'];

const padModes: ReadonlyMap<string, PadMode> = new Map<string, PadMode>([
  ['constant', 'constant'],
  ['reflect', 'reflect'],
  ['edge', 'edge'],
  ['wrap', 'wrap'],
]);

/** Amounts of some axes among those of all, which are nought. */
function fullPads(node: SourceNode, pads: Value, axes: readonly number[], rank: number): Value {
  const zeros = node.graph.literal('int64', [2 * rank], new Array<number>(2 * rank).fill(0));
  const indices = node.graph.literal(
    'int64',
    [2 * axes.length],
    [...axes, ...axes.map((axis) => axis + rank)],
  );
  return node.graph.add(
    ops.ScatterElements,
    { x: zeros, indices, updates: pads },
    { axis: 0, reduction: 'none' },
    node.step('pads'),
  ).y;
}

/** Padding of the stated axes, or of all. */
/**
 * What a Pad fills with. onnxruntime (1.31, PadFusion) takes a Pad with zeros whose bits are all
 * zero as padding of the MaxPool after it, which pads with the least number instead: there the
 * zeros are negative.
 */
function padValue(node: Node<typeof ops.Pad>, writer: GraphWriter): Operand {
  const { x, value } = node.operands;
  const elements = value?.constant?.peek();
  const isZero = value === undefined || (elements !== undefined && toNumbers(elements)[0] === 0);
  const isPooled = [...node.outputs[0]!.users].some((user) => user.is(ops.MaxPool));
  return isZero && isPooled && isFloat(x.dtype) && node.attrs.mode === 'constant'
    ? writer.literal(x.dtype, [], [-0])
    : value;
}

const readPad: ToCore = (node) => {
  const [x, pads] = [node.input(0), node.input(1)];
  const mode = meaningOf(node, 'mode', padModes, 'constant');
  const value = mode === 'constant' ? node.optional(2) : undefined;
  const stated = constantInts(node, 3);
  if (!stated)
    return node.graph.add(ops.Pad, { x, pads, value }, { mode, pads: null }, node.options).y;
  const axes = stated.map((axis) => axisOf(node, axis, x.rank));
  const { rank } = x;
  if (rank === undefined) throw node.unsupported('the rank of its operand is not known');
  if (!pads.elements)
    return node.graph.add(
      ops.Pad,
      { x, pads: fullPads(node, pads, axes, rank), value },
      { mode, pads: null },
      node.options,
    ).y;
  if (pads.elements.length !== 2 * axes.length)
    throw node.malformed(`it has ${pads.elements.length} amounts for ${axes.length} axes`);
  const full = new Array<Dim>(2 * rank).fill(0);
  axes.forEach((axis, i) => {
    full[axis] = pads.elements![i]!;
    full[axis + rank] = pads.elements![i + axes.length]!;
  });
  return node.graph.add(ops.Pad, { x, value }, { mode, pads: full }, node.options).y;
};

const readPadByAttributes: ToCore = (node) => {
  const x = node.input(0);
  const mode = meaningOf(node, 'mode', padModes, 'constant');
  const amount = node.float('value', 0);
  const value =
    mode === 'constant' && amount !== 0 ? new Compose(node).scalar(x.dtype, amount) : undefined;
  return node.graph.add(
    ops.Pad,
    { x, value },
    { mode, pads: node.ints('pads') ?? [] },
    node.options,
  ).y;
};

const readShape: ToCore = (node) => {
  const x = node.input(0);
  const { y } = node.graph.add(ops.Shape, { x }, {}, node.options);
  if (!node.has('start') && !node.has('end')) return y;
  const rank = x.rank;
  if (rank === undefined) throw node.unsupported('the rank of its operand is not known');
  const clamp = (position: number) =>
    Math.min(rank, Math.max(0, position < 0 ? position + rank : position));
  const slice = {
    axes: [0],
    starts: [clamp(node.int('start', 0))],
    ends: [clamp(node.int('end', rank))],
    steps: [1],
  };
  return node.graph.add(ops.Slice, { x: y }, slice, node.step('slice')).y;
};

const readConstant: ToCore = (node) => {
  const { graph } = node;
  const name = node.outputName(0);
  const weight = node.tensor('value') ?? node.tensor('sparse_value');
  if (weight) return graph.constant(weight, name, valueOf(node.source.file, name));
  if (node.has('value_float'))
    return graph.literal('float32', [], [node.float('value_float')], name);
  if (node.has('value_int')) return graph.literal('int64', [], [node.exactInt('value_int')], name);
  const floats = node.floats('value_floats');
  if (floats) return graph.literal('float32', [floats.length], floats, name);
  const integers = node.exactInts('value_ints');
  if (integers) return graph.literal('int64', [integers.length], integers, name);
  if (node.has('value_string'))
    return graph.literal('string', [], [node.text('value_string')], name);
  const texts = node.texts('value_strings');
  if (texts) return graph.literal('string', [texts.length], texts, name);
  throw node.unsupported('it holds no value');
};

const readConstantOfShape: ToCore = (node) => {
  const shape = shapeOperand(node, 0);
  const given = node.tensor('value');
  const x = given
    ? node.graph.constant(given.reshape([]), `${node.name}/value`)
    : node.graph.literal('float32', [], [0]);
  return node.graph.add(ops.Expand, { x, shape }, { shape: null }, node.options).y;
};

const toCore = {
  Concat: always((node) => {
    const inputs = node.inputs();
    return node.graph.add(
      ops.Concat,
      { inputs },
      { axis: axisOf(node, node.int('axis'), inputs[0]?.rank) },
      node.options,
    ).y;
  }),
  Constant: always(readConstant),
  ConstantOfShape: always(readConstantOfShape),
  Expand: always(
    (node) =>
      node.graph.add(
        ops.Expand,
        { x: node.input(0), shape: shapeOperand(node, 1) },
        { shape: null },
        node.options,
      ).y,
  ),
  Flatten: always(readFlatten),
  Pad: versions([1, readPadByAttributes], [11, readPad]),
  Range: always(
    (node) =>
      node.graph.add(
        ops.Range,
        { start: node.input(0), limit: node.input(1), delta: node.input(2) },
        {},
        node.options,
      ).y,
  ),
  Reshape: always(readReshape),
  ReverseSequence: always(
    (node) =>
      node.graph.add(
        ops.ReverseSequence,
        { x: node.input(0), lengths: node.input(1) },
        { timeAxis: node.int('time_axis', 0), batchAxis: node.int('batch_axis', 1) },
        node.options,
      ).y,
  ),
  Shape: always(readShape),
  Size: always((node) => {
    const shape = node.graph.add(ops.Shape, { x: node.input(0) }, {}, node.step('shape')).y;
    return node.graph.add(
      ops.ReduceProd,
      { x: shape },
      { axes: [0], keepdims: false },
      node.options,
    ).y;
  }),
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
  Squeeze: versions(
    [1, readSqueeze((node) => node.ints('axes'))],
    [13, readSqueeze((node) => constantInts(node, 1))],
  ),
  Tile: always(
    (node) =>
      node.graph.add(
        ops.Tile,
        { x: node.input(0), repeats: node.input(1) },
        { repeats: null },
        node.options,
      ).y,
  ),
  Transpose: always((node) => {
    const x = node.input(0);
    const stated = node.ints('perm');
    if (!stated && x.rank === undefined)
      throw node.unsupported('the rank of its operand is not known');
    return node.graph.add(
      ops.Transpose,
      { x },
      { perm: stated ?? Array.from({ length: x.rank! }, (_, i) => x.rank! - 1 - i) },
      node.options,
    ).y;
  }),
  Unsqueeze: versions(
    [1, readUnsqueeze((node) => node.ints('axes'))],
    [13, readUnsqueeze((node) => constantInts(node, 1))],
  ),
} satisfies ReadRules;

/** Dimensions as an operand: the attribute's, or the operand itself where they depend on data. */
function dimsOperand(
  writer: GraphWriter,
  dims: Shape | null,
  operand: Value | undefined,
): Value | string {
  return dims === null ? writer.int64(operand!) : writer.dims(dims);
}

/**
 * A target shape in the shortest form: constants, with -1 for the one dimension that is not a
 * number and 0 where one is copied from its place.
 */
function reshapeTarget(writer: GraphWriter, shape: Shape, from: Shape | undefined): string {
  if (isStatic(shape)) return writer.ints(shape);
  if (!shape.includes(-1) && !shape.includes(0)) {
    const copied = shape.map((dim, i) =>
      typeof dim !== 'number' && from?.[i] !== undefined && sameDim(dim, from[i]!) ? 0 : dim,
    );
    const open = copied.filter((dim) => typeof dim !== 'number');
    if (open.length <= 1)
      return writer.ints(copied.map((dim) => (typeof dim === 'number' ? dim : -1)));
  }
  return writer.dims(shape);
}

/** Element types of Range (version 11). */
const rangeTypes: readonly DType[] = ['float32', 'float64', 'int16', 'int32', 'int64'];

/**
 * ONNX mirrors at the middle of the outermost elements; where they are mirrored too, slices taken
 * backwards are joined, one axis after the other.
 */
function padSymmetrically(node: Node<typeof ops.Pad>, writer: GraphWriter): Gap | undefined {
  const { x } = node.operands;
  const { pads } = node.attrs;
  if (!pads || !isStatic(pads) || pads.some((pad) => pad < 0))
    return gap('padding that mirrors the border itself needs amounts that are known');
  const rank = pads.length / 2;
  const backwards = (y: Operand, axis: number, from: number, end: number) =>
    writer.step('Slice', [
      y,
      writer.ints([from]),
      writer.ints([end]),
      writer.ints([axis]),
      writer.ints([-1]),
    ]);
  const padded = Array.from({ length: rank }, (_, axis) => axis).reduce<Operand>((y, axis) => {
    const [begin, end] = [pads[axis]!, pads[axis + rank]!];
    if (begin === 0 && end === 0) return y;
    // The end of a backward slice lies before the first element whatever the size.
    const before = begin === 0 ? [] : [backwards(y, axis, begin - 1, -(2 ** 31))];
    const after = end === 0 ? [] : [backwards(y, axis, -1, -end - 1)];
    return writer.step('Concat', [...before, y, ...after], { axis: int(axis) });
  }, x);
  writer.node('Identity', [padded], {}, node.outputs);
  return undefined;
}

const fromCore = {
  Concat: (node, writer) =>
    writer.node('Concat', node.inputs, { axis: int(node.attrs.axis) }, node.outputs),
  Dims: (node, writer) => {
    const [y] = node.outputs;
    const name = writer.dims(node.attrs.values);
    if (writer.isNamed(y!)) writer.node('Identity', [name], {}, node.outputs);
    else writer.bind(y!, name);
  },
  Expand: (node, writer) =>
    writer.node(
      'Expand',
      [node.operands.x, dimsOperand(writer, node.attrs.shape, node.operands.shape)],
      {},
      node.outputs,
    ),
  Pad: (node, writer) => {
    if (node.attrs.mode === 'symmetric') return padSymmetrically(node, writer);
    if (node.attrs.mode === 'wrap' && writer.opset < 19)
      return gap('padding that wraps round needs operator set 19');
    const { x, pads } = node.operands;
    return writer.node(
      'Pad',
      [x, dimsOperand(writer, node.attrs.pads, pads), padValue(node, writer)],
      { mode: text(node.attrs.mode) },
      node.outputs,
    );
  },
  Range: (node, writer) => {
    const { dtype } = node.outputs[0]!;
    if (rangeTypes.includes(dtype)) return writer.node('Range', node.inputs, {}, node.outputs);
    const wide = int(dataTypeOf(isFloat(dtype) ? 'float32' : 'int64'));
    const range = writer.step(
      'Range',
      node.inputs.map((operand) => writer.step('Cast', [operand], { to: wide })),
    );
    return writer.node('Cast', [range], { to: int(dataTypeOf(dtype)) }, node.outputs);
  },
  Reshape: (node, writer) => {
    const { x, shape } = node.operands;
    const target =
      node.attrs.shape === null
        ? writer.int64(shape!)
        : reshapeTarget(writer, node.attrs.shape, x.shape);
    const isZeroKept = node.attrs.shape?.includes(0) === true && isStatic(node.attrs.shape);
    if (isZeroKept && writer.opset < 14)
      return gap('a shape with a dimension of 0 needs operator set 14');
    return writer.node(
      'Reshape',
      [x, target],
      { allowzero: isZeroKept ? int(1) : undefined },
      node.outputs,
    );
  },
  Reverse: (node, writer) => {
    const { axes } = node.attrs;
    const all = (value: number) => writer.ints(axes.map(() => value));
    // A negative step runs from the last element; the end is before the first whatever the size.
    writer.node(
      'Slice',
      [node.operands.x, all(-1), all(-(2 ** 31)), writer.ints(axes), all(-1)],
      {},
      node.outputs,
    );
  },
  ReverseSequence: (node, writer) =>
    writer.node(
      'ReverseSequence',
      [node.operands.x, writer.int64(node.operands.lengths)],
      { time_axis: int(node.attrs.timeAxis), batch_axis: int(node.attrs.batchAxis) },
      node.outputs,
    ),
  Shape: (node, writer) => writer.node('Shape', node.inputs, {}, node.outputs),
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
  Squeeze: (node, writer) =>
    writer.node('Squeeze', [node.operands.x, writer.ints(node.attrs.axes)], {}, node.outputs),
  Tile: (node, writer) =>
    writer.node(
      'Tile',
      [node.operands.x, dimsOperand(writer, node.attrs.repeats, node.operands.repeats)],
      {},
      node.outputs,
    ),
  Transpose: (node, writer) =>
    writer.node('Transpose', node.inputs, { perm: ints(node.attrs.perm) }, node.outputs),
  Unsqueeze: (node, writer) =>
    writer.node('Unsqueeze', [node.operands.x, writer.ints(node.attrs.axes)], {}, node.outputs),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that move elements or tell shapes, both directions. */
export const movement = { toCore, fromCore };
