import {
  addDim,
  floorDivDim,
  mulDim,
  ops,
  sameDim,
  subDim,
  type Dim,
  type Node,
  type Shape,
  type Value,
} from '@drover/core';
import {
  exactQuotient,
  gap,
  isDataDependent,
  type Gap,
  type WriteRules,
} from '@drover/core/format';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';
import { unknownRank, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/** Beyond the last index of any dimension. */
const end = Number.MAX_SAFE_INTEGER;

function cut(
  node: SourceNode,
  x: Value,
  axes: readonly number[],
  starts: Shape,
  ends: Shape,
  steps = axes.map(() => 1),
): Value {
  if ([...starts, ...ends].some(isDataDependent))
    throw node.unsupported('its bounds depend on data');
  return node.graph.add(ops.Slice, { x }, { axes, starts, ends, steps }, node.options).y;
}

const readSlice: ToCore = (node) => {
  const [begins, ends] = [node.bounds('begin'), node.bounds('end')];
  const steps = node.bounds('step');
  const stepAt = (i: number) => steps[i] ?? 1;
  const starts = begins.map((begin, i) => begin ?? (stepAt(i) > 0 ? 0 : end));
  const stops = ends.map((stop, i) => stop ?? (stepAt(i) > 0 ? end : -end));
  return cut(
    node,
    node.input(0),
    begins.map((_, i) => i),
    starts,
    stops,
    begins.map((_, i) => stepAt(i)),
  );
};

const readSliceAxis: ToCore = (node) => {
  const axis = node.axis('axis', node.shape(0).length);
  return cut(node, node.input(0), [axis], [node.int('begin')], [node.maybe('end') ?? end]);
};

const readSliceLike: ToCore = (node) => {
  const [shape, like] = [node.shape(0), node.shape(1)];
  const stated = node.ints('axes') ?? [];
  const axes =
    stated.length > 0
      ? stated.map((axis) => node.axisOf(axis, shape.length))
      : shape.map((_, i) => i);
  return cut(
    node,
    node.input(0),
    axes,
    axes.map(() => 0),
    axes.map((axis) => like[axis] ?? end),
  );
};

/**
 * Height and width cut to those of another tensor or to given ones, at an offset or in the middle.
 */
const readCrop: ToCore = (node) => {
  const shape = node.shape(0);
  const sizes: Shape = node.inputCount > 1 ? node.shape(1).slice(2) : (node.ints('h_w') ?? []);
  const offset = node.ints('offset') ?? [0, 0];
  const isCentred = node.bool('center_crop');
  const starts = sizes.map((size, i): Dim =>
    isCentred ? floorDivDim(addDim(shape[i + 2]!, mulDim(size, -1)), 2) : offset[i]!,
  );
  return cut(
    node,
    node.input(0),
    [2, 3],
    starts,
    sizes.map((size, i) => addDim(starts[i]!, size)),
  );
};

/** Parts of a value along an axis, without that axis if asked. */
function parts(node: SourceNode, axis: number, sizes: Shape): readonly Value[] {
  const { outputs } = node.graph.add(
    ops.Split,
    { x: node.input(0) },
    { axis, sizes },
    node.options,
  );
  return node.bool('squeeze_axis')
    ? outputs.map(
        (x, i) => node.graph.add(ops.Squeeze, { x }, { axes: [axis] }, node.step(`part${i}`)).y,
      )
    : outputs;
}

const readSliceChannel: ToCore = (node) => {
  const shape = node.shape(0);
  const axis = node.axis('axis', shape.length);
  const count = node.int('num_outputs');
  const part = exactQuotient(shape[axis]!, count);
  if (part === undefined) throw node.unsupported('it is not known whether its parts are equal');
  return parts(node, axis, new Array<Dim>(count).fill(part));
};

/**
 * Equal parts (the first ones a little larger where they cannot be), or cuts at indices of which
 * the first is 0.
 */
const readSplit: ToCore = (node) => {
  const shape = node.shape(0);
  const axis = node.axis('axis', shape.length);
  const whole = shape[axis]!;
  const sections = node.int('sections');
  const cuts = node.ints('indices') ?? [];
  if (typeof whole !== 'number') throw node.unsupported('the size it splits is not known');
  if (sections > 0)
    return parts(
      node,
      axis,
      Array.from(
        { length: sections },
        (_, i) => Math.floor(whole / sections) + (i < whole % sections ? 1 : 0),
      ),
    );
  const places = cuts.map((cut) => Math.min(cut, whole));
  return parts(
    node,
    axis,
    places.map((cut, i) => (places[i + 1] ?? whole) - cut),
  );
};

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

const toCore = {
  Crop: readCrop,
  SliceChannel: readSliceChannel,
  _split_v2: readSplit,
  slice: readSlice,
  slice_axis: readSliceAxis,
  slice_like: readSliceLike,
} satisfies ReadRules;

const fromCore = {
  Slice: writeSlice,
  Split: writeSplit,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that take parts, both directions. */
export const slicing = { toCore, fromCore };
