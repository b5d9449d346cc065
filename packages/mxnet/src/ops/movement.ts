import {
  addDim,
  exactQuotient,
  floorDivDim,
  isDataDependent,
  isStatic,
  mulDim,
  ops,
  productOf,
  Weight,
  type Dim,
  type Shape,
  type Value,
} from '@drover/core';
import { scalarOf, transposed } from '../vocabulary/build.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/** Beyond the last index of any dimension. */
const end = Number.MAX_SAFE_INTEGER;

/** The same elements in another shape; a constant only gets another handle. */
export function reshaped(node: SourceNode, x: Value, wanted: Shape, step?: string): Value {
  // One size that depends on data is what remains of the others.
  const isOpen = wanted.filter(isDataDependent).length === 1 && !wanted.includes(-1);
  const shape = isOpen ? wanted.map((dim) => (isDataDependent(dim) ? -1 : dim)) : wanted;
  if (shape.some(isDataDependent)) throw node.unsupported('its shape depends on data');
  if (x.constant && isStatic(shape) && !shape.includes(-1))
    return node.graph.constant(x.constant.reshape(shape), x.name, x.origin);
  return node.graph.add(
    ops.Reshape,
    { x },
    { shape },
    step === undefined ? node.options : node.step(step),
  ).y;
}

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

const readTranspose: ToCore = (node) => {
  const axes = node.ints('axes') ?? [];
  const rank = axes.length || node.shape(0).length;
  const perm =
    axes.length > 0
      ? axes.map((axis) => node.axisOf(axis, rank))
      : Array.from({ length: rank }, (_, i) => rank - 1 - i);
  return transposed(node, node.input(0), perm);
};

const readSwapAxis: ToCore = (node) => {
  const rank = node.shape(0).length;
  const perm = Array.from({ length: rank }, (_, i) => i);
  const [a, b] = [node.axis('dim1', rank), node.axis('dim2', rank)];
  [perm[a], perm[b]] = [b, a];
  return transposed(node, node.input(0), perm);
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

const concat =
  (attribute: string): ToCore =>
  (node) => {
    const inputs = node.inputs();
    const axis = node.axis(attribute, node.shape(0).length);
    const { dtype } = inputs[0]!;
    if (inputs.some((each) => each.dtype !== dtype))
      throw node.unsupported('its inputs have several element types');
    return inputs.length === 1
      ? inputs[0]!
      : node.graph.add(ops.Concat, { inputs }, { axis }, node.options).y;
  };

/** Joined along an axis, or flattened and joined where that is None. */
const readConcatenate: ToCore = (node) => {
  if (node.maybe('axis') !== undefined) return concat('axis')(node);
  const inputs = node
    .inputs()
    .map(
      (x, i) =>
        node.graph.add(
          ops.Reshape,
          { x },
          { shape: [productOf(node.shape(i))] },
          node.step(`part${i}`),
        ).y,
    );
  return node.graph.add(ops.Concat, { inputs }, { axis: 0 }, node.options).y;
};

const readStack: ToCore = (node) => {
  const axis = node.axis('axis', node.shape(0).length + 1);
  const inputs = node
    .inputs()
    .map((x, i) => node.graph.add(ops.Unsqueeze, { x }, { axes: [axis] }, node.step(`part${i}`)).y);
  return node.graph.add(ops.Concat, { inputs }, { axis }, node.options).y;
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

const readPad: ToCore = (node) => {
  const x = node.input(0);
  const widths = node.ints('pad_width') ?? [];
  const begins = widths.filter((_, i) => i % 2 === 0);
  const ends = widths.filter((_, i) => i % 2 === 1);
  const mode = node.text('mode');
  if (mode !== 'constant' && mode !== 'edge' && mode !== 'reflect')
    throw node.unsupported(`its mode is ${mode}`);
  const amount = node.float('constant_value');
  const value = mode === 'constant' && amount !== 0 ? scalarOf(node, x.dtype, amount) : undefined;
  return node.graph.add(ops.Pad, { x, value }, { mode, pads: [...begins, ...ends] }, node.options)
    .y;
};

/** NumPy's Pad: a pair of amounts for each dimension. */
const readNumpyPad: ToCore = (node) => {
  const x = node.input(0);
  const widths = node.attr('pad_width');
  const pairs = Array.isArray(widths) ? (widths as readonly (readonly number[])[]) : [];
  const mode = node.text('mode');
  if (mode !== 'constant' && mode !== 'edge' && mode !== 'reflect' && mode !== 'symmetric')
    throw node.unsupported(`its mode is ${mode}`);
  if (node.text('reflect_type') !== 'even') throw node.unsupported('it reflects in its own way');
  const amount = node.float('constant_value');
  const value = mode === 'constant' && amount !== 0 ? scalarOf(node, x.dtype, amount) : undefined;
  return node.graph.add(
    ops.Pad,
    { x, value },
    { mode, pads: [...pairs.map((pair) => pair[0]!), ...pairs.map((pair) => pair[1]!)] },
    node.options,
  ).y;
};

const readShape: ToCore = (node) =>
  node.graph.add(ops.Shape, { x: node.input(0) }, {}, node.options).y;

/** Depth to space and back, in MXNet's order (that of DCR). */
const readBlocks =
  (op: typeof ops.SpaceToDepth): ToCore =>
  (node) =>
    node.graph.add(
      op,
      { x: node.input(0) },
      { layout: 'channelsFirst', blockSize: node.int('block_size') },
      node.options,
    ).y;

const readReverse: ToCore = (node) => {
  const rank = node.shape(0).length;
  const axes = (node.ints('axis') ?? [])
    .map((axis) => node.axisOf(axis, rank))
    .sort((a, b) => a - b);
  return node.graph.add(ops.Reverse, { x: node.input(0) }, { axes }, node.options).y;
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

/**
 * The parameters of a fused recurrent layer in one row; constants stay handles, so that the layer
 * can be taken apart again.
 */
const readParameters: ToCore = (node) => {
  const weights = node.inputs().flatMap(({ constant }) => (constant ? [constant] : []));
  if (weights.length < node.inputCount) return concat('dim')(node);
  return node.graph.constant(
    Weight.concat(weights, node.axis('dim', node.shape(0).length)),
    node.name,
  );
};

const toCore = {
  Concat: concat('dim'),
  Crop: readCrop,
  Flatten: (node) => {
    const shape = node.shape(0);
    return reshaped(node, node.input(0), [shape[0] ?? 1, productOf(shape.slice(1))]);
  },
  Pad: readPad,
  Reshape: readReshape,
  SliceChannel: readSliceChannel,
  SwapAxis: readSwapAxis,
  _np_reshape: readNpReshape,
  _np_squeeze: readSqueeze,
  _np_transpose: readTranspose,
  _npi_concatenate: readConcatenate,
  _npi_flip: readReverse,
  _npi_pad: readNumpyPad,
  _npi_stack: readStack,
  _npi_tril: (node) =>
    node.graph.add(
      ops.Trilu,
      { x: node.input(0) },
      { upper: false, k: node.int('k') },
      node.options,
    ).y,
  _npx_reshape: readNpxReshape,
  _rnn_param_concat: readParameters,
  _split_v2: readSplit,
  depth_to_space: (node) =>
    node.graph.add(
      ops.DepthToSpace,
      { x: node.input(0) },
      { layout: 'channelsFirst', blockSize: node.int('block_size'), mode: 'DCR' },
      node.options,
    ).y,
  expand_dims: (node) =>
    node.graph.add(
      ops.Unsqueeze,
      { x: node.input(0) },
      { axes: [node.axis('axis', node.shape(0).length + 1)] },
      node.options,
    ).y,
  reshape_like: readReshapeLike,
  reverse: readReverse,
  shape_array: readShape,
  size_array: (node) => {
    const shape = node.graph.add(ops.Shape, { x: node.input(0) }, {}, node.step('shape')).y;
    return node.graph.add(ops.ReduceProd, { x: shape }, { axes: [0], keepdims: true }, node.options)
      .y;
  },
  slice: readSlice,
  slice_axis: readSliceAxis,
  slice_like: readSliceLike,
  space_to_depth: readBlocks(ops.SpaceToDepth),
  squeeze: readSqueeze,
  stack: readStack,
  transpose: readTranspose,
} satisfies ReadRules;

/** Reading of operators that move elements or tell shapes. */
export const movement = { toCore };
