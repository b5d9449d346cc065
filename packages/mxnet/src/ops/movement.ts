import { isFloat, isStatic, ops, productOf, toNumbers, Weight, type Node } from '@drover/core';
import { gap, type Gap, type WriteRules } from '@drover/core/format';
import { binary, cast, scalarOf, transposed } from '../vocabulary/build.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import type { KeepRules, ReadRules, ToCore } from '../vocabulary/rule.js';

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

/** Images with their channels last in 0 to 255 as images with their channels first in 0 to 1. */
const readToTensor: ToCore = (node) => {
  const rank = node.shape(0).length;
  const scaled = binary(
    node,
    ops.Div,
    cast(node, node.input(0), 'float32', 'floats'),
    scalarOf(node, 'float32', 255),
    'scaled',
  );
  return node.graph.add(
    ops.Transpose,
    { x: scaled },
    { perm: rank === 3 ? [2, 0, 1] : [0, 3, 1, 2] },
    node.options,
  ).y;
};

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

const toCore = {
  Concat: concat('dim'),
  Pad: readPad,
  SwapAxis: readSwapAxis,
  _image_to_tensor: readToTensor,
  _np_transpose: readTranspose,
  _npi_concatenate: readConcatenate,
  _npi_flip: readReverse,
  _npi_pad: readNumpyPad,
  _npi_stack: readStack,
  _rnn_param_concat: readParameters,
  depth_to_space: (node) =>
    node.graph.add(
      ops.DepthToSpace,
      { x: node.input(0) },
      { layout: 'channelsFirst', blockSize: node.int('block_size'), mode: 'DCR' },
      node.options,
    ).y,
  reverse: readReverse,
  space_to_depth: readBlocks(ops.SpaceToDepth),
  stack: readStack,
  transpose: readTranspose,
} satisfies ReadRules;

const fromCore = {
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
  DepthToSpace: (node, writer) =>
    writer.node(
      'depth_to_space',
      [node.operands.x],
      { block_size: node.attrs.blockSize },
      node.outputs,
    ),
  Pad: writePad,
  Reverse: (node, writer) =>
    writer.node('reverse', [node.operands.x], { axis: node.attrs.axes }, node.outputs),
  SpaceToDepth: (node, writer) =>
    writer.node(
      'space_to_depth',
      [node.operands.x],
      { block_size: node.attrs.blockSize },
      node.outputs,
    ),
  Transpose: (node, writer) => {
    if (node.attrs.perm.length > 6) return gap('MXNet transposes at most six dimensions');
    if (node.attrs.perm.length < 2)
      return writer.bind(node.outputs[0]!, writer.ref(node.operands.x));
    return writer.node('transpose', [node.operands.x], { axes: node.attrs.perm }, node.outputs);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

const keeps = {
  DepthToSpace: (node) =>
    (node.attrs as { readonly mode: string }).mode === 'DCR' && node.inputs[0]!.rank === 4,
  SpaceToDepth: (node) => node.inputs[0]!.rank === 4,
} satisfies KeepRules;

/** Operators that move elements, both directions. */
export const movement = { toCore, fromCore, keeps };
