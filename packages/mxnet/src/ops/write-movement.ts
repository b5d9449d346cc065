import {
  foldDim,
  gap,
  inverse,
  isFloat,
  isStatic,
  sameDim,
  sizeOf,
  subDim,
  symbol,
  toNumbers,
  type Dim,
  type Gap,
  type Node,
  type ops,
  type Shape,
  type Value,
  type WriteRules,
} from '@drover/core';
import {
  heldShape,
  heldType,
  type GraphWriter,
  type Operand,
  type Ref,
} from '../vocabulary/graph-writer.js';

const unknownRank = gap('the rank of its operand is not known');
const noSizes = (shape: Shape | undefined) =>
  gap(`MXNet's codes cannot say the shape [${shape?.join(', ') ?? '…'}] from what it is made of`);

/** The same elements in the shape of the result. */
function writeReshaped(node: Node, writer: GraphWriter): Gap | void {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  if (!x.shape || !y.shape) return unknownRank;
  const ref = writer.reshape(x, x.shape, y.shape);
  if (!ref) return noSizes(y.shape);
  writer.bind(y, ref);
}

function writeExpand(node: Node<typeof ops.Expand>, writer: GraphWriter): Gap | void {
  const [x, y] = [node.operands.x, node.outputs[0]!];
  if (!x.shape || !y.shape) return unknownRank;
  const ref = writer.broadcast(x, x.shape, y.shape);
  if (!ref) return noSizes(y.shape);
  writer.bind(y, ref);
}

/**
 * A bound of a slice as MXNet counts it: null is the start or end of the dimension, a negative
 * number counts from its end.
 */
function boundOf(bound: Dim, size: Dim | undefined): number | null | undefined {
  if (typeof bound === 'number') return Math.abs(bound) >= 2 ** 31 - 1 ? null : bound;
  if (size === undefined) return undefined;
  const behind = subDim(bound, size);
  return typeof behind !== 'number' || behind > 0 ? undefined : behind === 0 ? null : behind;
}

function writeSlice(node: Node<typeof ops.Slice>, writer: GraphWriter): Gap | void {
  const { x } = node.operands;
  const { axes, starts, ends, steps } = node.attrs;
  if (!starts || !ends) return gap('its bounds depend on data, and MXNet takes them as attributes');
  if (!x.shape) return unknownRank;
  const begin = x.shape.map((): number | null => null);
  const end = x.shape.map((): number | null => null);
  const step = x.shape.map(() => 1);
  for (const [i, axis] of axes.entries()) {
    const size = x.shape[axis]!;
    step[axis] = steps[i]!;
    if (typeof size === 'number' && typeof starts[i] === 'number' && typeof ends[i] === 'number') {
      const settle = (bound: number, low: number, high: number) =>
        Math.min(high, Math.max(low, bound < 0 ? bound + size : bound));
      const isForward = steps[i]! > 0;
      begin[axis] = isForward ? settle(starts[i], 0, size) : settle(starts[i], 0, size - 1);
      const stop = isForward ? settle(ends[i], 0, size) : settle(ends[i], -1, size - 1);
      end[axis] = stop < 0 ? null : stop;
      continue;
    }
    const [from, to] = [boundOf(starts[i]!, size), boundOf(ends[i]!, size)];
    if (from === undefined || to === undefined) {
      if (writeSliceLike(node, writer, x)) return;
      return gap(
        `MXNet cannot say the bounds ${String(starts[i])} and ${String(ends[i])} of a dimension of ${String(size)}`,
      );
    }
    begin[axis] = from;
    end[axis] = to;
  }
  const axis = axes[0]!;
  // An end beyond the size is an error of slice_axis, not of slice.
  if (axes.length === 1 && steps[0] === 1 && typeof x.shape[axis] === 'number') {
    return writer.node(
      'slice_axis',
      [x],
      { axis, begin: begin[axis] ?? 0, end: end[axis]! },
      node.outputs,
    );
  }
  writer.node('slice', [x], { begin, end, step }, node.outputs);
}

/** From the start to sizes that other values have: slices like those, one axis after the other. */
function writeSliceLike(node: Node<typeof ops.Slice>, writer: GraphWriter, x: Value): boolean {
  const { axes, starts, ends, steps } = node.attrs;
  const places = ends!.map((end) => writer.sizeSource(end));
  const isLike =
    starts!.every((start) => start === 0) &&
    steps.every((step) => step === 1) &&
    places.every((place) => place !== undefined);
  if (!isLike) return false;
  let ref = writer.ref(x);
  axes.forEach((axis, i) => {
    const { value, axis: at } = places[i]!;
    let like: Operand = value;
    for (let rank = value.rank ?? 0; rank <= axis; rank++)
      like = writer.step('expand_dims', [like], { axis: rank });
    if (at !== axis) like = writer.step('SwapAxis', [like], { dim1: at, dim2: axis });
    ref = writer.step('slice_like', [ref, like], { axes: [axis] });
  });
  writer.bind(node.outputs[0]!, ref);
  return true;
}

function writeSplit(node: Node<typeof ops.Split>, writer: GraphWriter): Gap | void {
  const { x } = node.operands;
  const { axis, sizes } = node.attrs;
  if (sizes.length === 1) return writer.bind(node.outputs[0]!, writer.ref(x));
  if (sizes.every((size) => sameDim(size, sizes[0]!)))
    return writer.node('SliceChannel', [x], { num_outputs: sizes.length, axis }, node.outputs);
  let begin = 0;
  for (const [i, size] of sizes.entries()) {
    const isLast = i === sizes.length - 1;
    if (typeof size !== 'number' && !isLast)
      return gap('its parts depend on a size that is not known');
    if (size === 0) continue; // nothing uses it
    writer.node('slice_axis', [x], { axis, begin, end: isLast ? null : begin + (size as number) }, [
      node.outputs[i]!,
    ]);
    begin += size as number;
  }
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

/** MXNet's classic Pad takes the spatial dimensions of images; the NumPy operator any. */
function writePad(node: Node<typeof ops.Pad>, writer: GraphWriter): Gap | void {
  const { x, value } = node.operands;
  const { mode, pads } = node.attrs;
  if (!pads || !isStatic(pads))
    return gap(
      'its amounts are not known before the model runs, and MXNet takes them as attributes',
    );
  if (pads.some((pad) => pad < 0)) return gap('it cuts elements off');
  if (mode === 'wrap') return gap('MXNet 1.9 has no padding that wraps round');
  const amount = value ? value.constant?.peek() : undefined;
  if (value && !amount) return gap('the value that it pads with depends on data');
  const rank = pads.length / 2;
  const widths = Array.from({ length: rank }, (_, i) => [pads[i]!, pads[i + rank]!]);
  const number = amount ? toNumbers(amount)[0]! : 0;
  const isClassic =
    (rank === 4 || rank === 5) &&
    widths
      .slice(0, 2)
      .flat()
      .every((pad) => pad === 0) &&
    isFloat(x.dtype) &&
    mode !== 'symmetric';
  if (isClassic)
    return writer.node(
      'Pad',
      [x],
      { mode, pad_width: widths.flat(), constant_value: mode === 'constant' ? number : undefined },
      node.outputs,
    );
  writer.node(
    '_npi_pad',
    [x],
    { pad_width: widths, mode, constant_value: mode === 'constant' ? number : undefined },
    node.outputs,
  );
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

/** 0, 1, … along a named dimension; what is known is folded before. */
function writeRange(node: Node<typeof ops.Range>, writer: GraphWriter): Gap | void {
  const { start, delta } = node.operands;
  const [first, step] = [start, delta].map(
    (value) => value.constant && toNumbers(value.constant.peek()!)[0],
  );
  const size = node.outputs[0]!.shape?.[0];
  const place = size === undefined ? undefined : writer.sizeSource(size);
  if (first === undefined || step === undefined || !place)
    return gap('its length depends on data, and MXNet allocates results before it runs');
  const counted = writer.step('_contrib_arange_like', [place.value], {
    start: first,
    step,
    axis: place.axis,
  });
  const held = heldType(place.value.dtype);
  if (held === start.dtype) return writer.bind(node.outputs[0]!, counted);
  writer.node('Cast', [counted], { dtype: start.dtype }, node.outputs);
}

/** Lower or upper triangles keep their elements; the rest becomes 0, also where it is infinite. */
function writeTrilu(node: Node<typeof ops.Trilu>, writer: GraphWriter): void {
  const { x } = node.operands;
  const [rows, columns] = x.shape?.slice(-2) ?? [];
  const { upper, k } = node.attrs;
  if (!upper && isFloat(x.dtype)) return writer.node('_npi_tril', [x], { k }, node.outputs);
  const zero = writer.literal(heldType(x.dtype), [1], [0]);
  if (typeof rows !== 'number' || typeof columns !== 'number') {
    const ones = writer.cast(writer.step('ones_like', [x]), heldType(x.dtype), 'float32');
    const isBelow = writer.step('_npi_tril', [ones], { k: upper ? k - 1 : k });
    return writer.node(
      '_npi_where',
      upper ? [isBelow, zero, x] : [isBelow, x, zero],
      {},
      node.outputs,
    );
  }
  const mask = Array.from({ length: rows * columns }, (_, i) => {
    const offset = (i % columns) - Math.floor(i / columns);
    return Number(upper ? offset >= k : offset <= k);
  });
  writer.node(
    '_npi_where',
    [writer.literal('float32', [rows, columns], mask), x, zero],
    {},
    node.outputs,
  );
}

function writeReverseSequence(
  node: Node<typeof ops.ReverseSequence>,
  writer: GraphWriter,
): Gap | void {
  const { x, lengths } = node.operands;
  const { timeAxis, batchAxis } = node.attrs;
  if (x.rank === undefined) return unknownRank;
  const rest = Array.from({ length: x.rank }, (_, i) => i).filter(
    (i) => i !== timeAxis && i !== batchAxis,
  );
  const perm = [timeAxis, batchAxis, ...rest];
  const isPlain = timeAxis === 0 && batchAxis === 1;
  const moved: Operand = isPlain ? x : writer.step('transpose', [x], { axes: perm });
  const inputs = [moved, writer.cast(lengths, lengths.dtype, 'float32')];
  if (isPlain)
    return writer.node('SequenceReverse', inputs, { use_sequence_length: true }, node.outputs);
  writer.node(
    'transpose',
    [writer.step('SequenceReverse', inputs, { use_sequence_length: true })],
    { axes: inverse(perm) },
    node.outputs,
  );
}

/** Writing of operators that move elements or tell shapes. */
export const writeMovement = {
  Concat: (node, writer) => {
    const { inputs } = node.operands;
    if (inputs.length === 1) return writer.bind(node.outputs[0]!, writer.ref(inputs[0]!));
    return writer.node(
      'Concat',
      inputs,
      { num_args: inputs.length, dim: node.attrs.axis },
      node.outputs,
    );
  },
  Dims: writeDims,
  Expand: writeExpand,
  NonMaxSuppression: gap(
    'the size of its result depends on data, and MXNet allocates results before it runs',
  ),
  NonZero: gap(
    'the size of its result depends on data, and MXNet allocates results before it runs',
  ),
  Pad: writePad,
  Range: writeRange,
  Reshape: (node, writer) => writeReshaped(node as Node, writer),
  Reverse: (node, writer) =>
    writer.node('reverse', [node.operands.x], { axis: node.attrs.axes }, node.outputs),
  ReverseSequence: writeReverseSequence,
  Shape: (node, writer) => {
    if (node.operands.x.rank === 0) return gap('a scalar has no sizes');
    return writer.node('shape_array', [node.operands.x], {}, node.outputs);
  },
  Slice: writeSlice,
  Split: writeSplit,
  Squeeze: writeSqueeze,
  Tile: (node, writer) => {
    const { repeats } = node.attrs;
    if (!repeats || !isStatic(repeats))
      return gap('how often it repeats is not known before the model runs');
    // MXNet repeats along two axes at once, not along more.
    const whole = heldShape(repeats) as readonly number[];
    const repeated = whole.flatMap((count, axis) => (count === 1 ? [] : [axis]));
    const over = (from: number) =>
      whole.map((count, axis) => (repeated.slice(from, from + 2).includes(axis) ? count : 1));
    let x: Operand = node.operands.x;
    let first = 0;
    for (; repeated.length - first > 2; first += 2)
      x = writer.step('tile', [x], { reps: over(first) });
    return writer.node('tile', [x], { reps: over(first) }, node.outputs);
  },
  Transpose: (node, writer) => {
    if (node.attrs.perm.length > 6) return gap('MXNet transposes at most six dimensions');
    if (node.attrs.perm.length < 2)
      return writer.bind(node.outputs[0]!, writer.ref(node.operands.x));
    return writer.node('transpose', [node.operands.x], { axes: node.attrs.perm }, node.outputs);
  },
  Trilu: writeTrilu,
  Unsqueeze: writeUnsqueeze,
} satisfies Partial<WriteRules<GraphWriter>>;

/** All coordinates of a shape along one axis, in C order. */
export function coordinates(shape: readonly number[], axis: number): readonly number[] {
  const inner = sizeOf(shape.slice(axis + 1));
  return Array.from({ length: sizeOf(shape) }, (_, i) => Math.floor(i / inner) % shape[axis]!);
}

/** The value of a constant index list as plain numbers. */
export function constantIndices(value: Value): Float64Array | undefined {
  const elements = value.constant?.peek();
  return elements && toNumbers(elements);
}
