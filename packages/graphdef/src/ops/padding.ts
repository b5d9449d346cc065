import {
  addDim,
  isStatic,
  ops,
  subDim,
  type Dim,
  type Node,
  type Shape,
  type Value,
} from '@drover/core';
import { bounds, gap, type WriteRules } from '@drover/core/format';
import { text } from '../vocabulary/attribute.js';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

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

const toCore = {
  MirrorPad: readPad((node) => (node.text('mode') === 'SYMMETRIC' ? 'symmetric' : 'reflect')),
  Pad: readPad(() => 'constant'),
  PadV2: readPad(() => 'constant'),
} satisfies ReadRules;

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

const fromCore = {
  Pad: writePad,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Paddings, both directions. */
export const padding = { toCore, fromCore };
