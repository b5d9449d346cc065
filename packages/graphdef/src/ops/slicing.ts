import { addDim, isStatic, ops, type Dim, type Node, type Value } from '@drover/core';
import { gap, isDataDependent, type WriteRules } from '@drover/core/format';
import { int } from '../vocabulary/attribute.js';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/**
 * The end of a slice that runs to the last element, or, negated and with a negative step, to the
 * first.
 */
const toEnd = Number.MAX_SAFE_INTEGER;

const known = (value: Value): readonly Dim[] | undefined =>
  value.elements?.some(isDataDependent) ? undefined : value.elements;

/** One element of a vector, as a vector. */
function entry(node: SourceNode, vector: Value, index: number, step: string): Value {
  return node.graph.add(
    ops.Slice,
    { x: vector },
    { axes: [0], starts: [index], ends: [index + 1], steps: [1] },
    node.step(`${step}_${index}`),
  ).y;
}

/**
 * Slices whose bounds are numbers, expressions or, where a piece depends on data, operands joined
 * from vectors of one element.
 */
function cut(
  node: SourceNode,
  x: Value,
  axes: readonly number[],
  starts: readonly (Dim | Value)[],
  ends: readonly (Dim | Value)[],
  steps: readonly number[],
  options = node.options,
): Value {
  if (axes.length === 0) return x;
  const bound = (
    pieces: readonly (Dim | Value)[],
    step: string,
  ): { list: readonly Dim[] | null; operand?: Value } => {
    const isDim = (piece: Dim | Value): piece is Dim =>
      typeof piece === 'number' || 'terms' in piece;
    if (pieces.every(isDim)) return { list: pieces };
    const parts = pieces.map((piece) =>
      isDim(piece)
        ? node.graph.literal('int64', [1], [numberOf(node, piece)])
        : node.cast(piece, 'int64', step),
    );
    return {
      list: null,
      operand:
        parts.length === 1
          ? parts[0]!
          : node.graph.add(ops.Concat, { inputs: parts }, { axis: 0 }, node.step(step)).y,
    };
  };
  const [from, to] = [bound(starts, 'starts'), bound(ends, 'ends')];
  const operands = {
    x,
    ...(from.operand && { starts: from.operand }),
    ...(to.operand && { ends: to.operand }),
  };
  return node.graph.add(
    ops.Slice,
    operands,
    { axes, starts: from.list, ends: to.list, steps },
    options,
  ).y;
}

function numberOf(node: SourceNode, dim: Dim): number {
  if (typeof dim === 'number') return dim;
  throw node.unsupported('its bounds mix sizes and data');
}

/** `begin` and `size`; a size of -1 runs to the end. */
const readSlice: ToCore = (node) => {
  const [x, begin, size] = [node.input(0), node.input(1), node.input(2)];
  const [starts, sizes] = [known(begin), known(size)];
  const axes = Array.from({ length: node.rank(x) }, (_, i) => i);
  const from = axes.map((i) => starts?.[i] ?? entry(node, begin, i, 'begin'));
  const to = axes.map((i) => {
    if (sizes?.[i] === -1) return toEnd;
    if (starts && sizes) return addDim(starts[i]!, sizes[i]!);
    if (!sizes) throw node.unsupported('its size depends on data');
    const start = entry(node, begin, i, 'begin');
    return node.graph.add(
      ops.Add,
      { a: start, b: node.graph.literal(start.dtype, [1], [numberOf(node, sizes[i]!)]) },
      {},
      node.step(`end_${i}`),
    ).y;
  });
  return cut(
    node,
    x,
    axes,
    from,
    to,
    axes.map(() => 1),
  );
};

/** What a strided slice does with one dimension of its operand, or a dimension that it adds. */
type Part =
  | { readonly kind: 'slice' | 'index'; readonly axis: number; readonly at: number }
  | { readonly kind: 'new' };

/**
 * The parts of a strided slice: entries of its vectors, the ellipsis spread over the dimensions
 * that are left.
 */
function partsOf(node: SourceNode, count: number, rank: number): readonly Part[] {
  const bit = (name: string, i: number) => ((node.int(name, 0) >> i) & 1) === 1;
  const entries = Array.from({ length: count }, (_, at) => ({
    at,
    isEllipsis: bit('ellipsis_mask', at),
    isNew: bit('new_axis_mask', at),
    isIndex: bit('shrink_axis_mask', at),
  }));
  const taken = entries.filter(({ isEllipsis, isNew }) => !isEllipsis && !isNew).length;
  const parts: Part[] = [];
  let axis = 0;
  for (const { at, isEllipsis, isNew, isIndex } of entries) {
    if (isEllipsis) axis += rank - taken;
    else if (isNew) parts.push({ kind: 'new' });
    else parts.push({ kind: isIndex ? 'index' : 'slice', axis: axis++, at });
    if (isEllipsis)
      parts.push(
        ...Array.from({ length: rank - taken }, (_, i): Part => ({
          kind: 'slice',
          axis: axis - (rank - taken) + i,
          at: -1,
        })),
      );
  }
  while (axis < rank) parts.push({ kind: 'slice', axis: axis++, at: -1 });
  if (axis > rank) throw node.unsupported('it has more entries than its operand has dimensions');
  return parts;
}

const readStridedSlice: ToCore = (node) => {
  const [x, begin, end] = [node.input(0), node.input(1), node.input(2)];
  const strides = node.constantInts(3);
  const [starts, ends] = [known(begin), known(end)];
  const bit = (name: string, i: number) => ((node.int(name, 0) >> i) & 1) === 1;
  const parts = partsOf(node, strides.length, node.rank(x));
  const sliced = parts.flatMap((part) => (part.kind !== 'new' && part.at >= 0 ? [part] : []));
  const fixed = sliced.filter(({ kind, at }) => kind === 'slice' || starts?.[at] !== undefined);
  const from = fixed.map(({ kind, at }) => {
    if (kind === 'slice' && bit('begin_mask', at)) return strides[at]! > 0 ? 0 : toEnd;
    return starts?.[at] ?? entry(node, begin, at, 'begin');
  });
  const to = fixed.map(({ kind, at }) => {
    if (kind === 'index') return starts![at] === -1 ? toEnd : addDim(starts![at]!, 1);
    if (bit('end_mask', at)) return strides[at]! > 0 ? toEnd : -toEnd;
    return ends?.[at] ?? entry(node, end, at, 'end');
  });
  const steps = fixed.map(({ kind, at }) => (kind === 'index' ? 1 : strides[at]!));
  // Entries that take everything say nothing.
  const used = fixed
    .map((_, i) => i)
    .filter((i) => !(from[i] === 0 && to[i] === toEnd && steps[i] === 1));
  const pick = <T>(list: readonly T[]) => used.map((i) => list[i]!);
  const squeezed = fixed.flatMap(({ kind, axis }) => (kind === 'index' ? [axis] : []));
  const data = sliced.filter((part) => !fixed.includes(part));
  const isLast =
    squeezed.length === 0 && data.length === 0 && !parts.some(({ kind }) => kind === 'new');
  let y = cut(
    node,
    x,
    pick(fixed.map(({ axis }) => axis)),
    pick(from),
    pick(to),
    pick(steps),
    isLast ? node.options : node.step('slice'),
  );
  // An index that depends on data; from the last dimension on, so that the others keep their
  // places.
  for (const { axis, at } of [...data].reverse()) {
    const index = node.graph.add(
      ops.Squeeze,
      { x: entry(node, begin, at, 'index') },
      { axes: [0] },
      node.step(`index_${at}`),
    ).y;
    y = node.graph.add(ops.Gather, { x: y, indices: index }, { axis }, node.step(`gather_${at}`)).y;
  }
  const gone = new Set(data.map(({ axis }) => axis));
  const left = squeezed.map((axis) => axis - [...gone].filter((each) => each < axis).length);
  if (left.length > 0)
    y = node.graph.add(ops.Squeeze, { x: y }, { axes: left }, node.step('squeeze')).y;
  const added = parts
    .filter((part) => part.kind !== 'index')
    .flatMap(({ kind }, i) => (kind === 'new' ? [i] : []));
  return added.length > 0
    ? node.graph.add(ops.Unsqueeze, { x: y }, { axes: added }, node.options).y
    : y;
};

const toCore = { Slice: readSlice, StridedSlice: readStridedSlice } satisfies ReadRules;

const isSet = (flags: readonly boolean[]) =>
  int(flags.reduce((mask, flag, i) => mask + (flag ? 2 ** i : 0), 0));

/** A slice by begin and size where both can be told; TF.js runs it in every rank. */
function asBeginAndSize(
  node: Node<typeof ops.Slice>,
  writer: GraphWriter,
): readonly [readonly Dim[], readonly Dim[]] | undefined {
  const { axes, starts, ends, steps } = node.attrs;
  const { shape } = node.operands.x;
  const result = node.outputs[0]!.shape;
  if (!shape || !result || !starts || !ends || steps.some((step) => step !== 1)) return undefined;
  const begin = shape.map((size, axis) => {
    const i = axes.indexOf(axis);
    if (i < 0) return 0;
    const start = starts[i]!;
    if (typeof start !== 'number') return undefined;
    if (start >= 0)
      return typeof size === 'number' || start === 0 || ends[i] === toEnd
        ? Math.min(start, typeof size === 'number' ? size : start)
        : start;
    return typeof size === 'number' ? Math.max(size + start, 0) : undefined;
  });
  // To the end is -1 whatever the size is.
  const sizes = shape.map((_, axis) =>
    axes.includes(axis) && ends[axes.indexOf(axis)] !== toEnd ? result[axis]! : -1,
  );
  if (begin.some((each) => each === undefined) || !writer.canCompute(sizes)) return undefined;
  return [begin as readonly number[], sizes];
}

const fromCore = {
  Slice: (node, writer) => {
    const { x, starts, ends } = node.operands;
    const { axes, steps } = node.attrs;
    const { rank } = x;
    const plain = asBeginAndSize(node, writer);
    if (plain)
      return writer.node(
        'Slice',
        [x, writer.dims(plain[0]), writer.dims(plain[1])],
        {},
        node.outputs,
      );
    if (rank === undefined) return gap('the rank of its operand is not known');
    if (rank > 4) return axisByAxis(node, writer, rank);
    const place = (
      list: readonly Dim[] | null,
      operand: Value | undefined,
      otherwise: number,
    ): Operand => {
      const all = Array.from({ length: rank }, (_, axis) => axes.indexOf(axis));
      const settled = (dim: Dim): Dim =>
        typeof dim === 'number' && Math.abs(dim) >= 2 ** 31 - 1 ? 0 : dim;
      if (list) return writer.dims(all.map((i) => (i < 0 ? otherwise : settled(list[i]!))));
      const vector = writer.cast(operand!, 'int32');
      return writer.concat(
        all.map((i) =>
          i < 0
            ? writer.ints([otherwise])
            : writer.step('Slice', [vector, writer.ints([i]), writer.ints([1])]),
        ),
      );
    };
    const open = (list: readonly Dim[] | null, axis: number): boolean => {
      const i = axes.indexOf(axis);
      const bound = i < 0 ? undefined : list?.[i];
      return i < 0 || (typeof bound === 'number' && Math.abs(bound) >= 2 ** 31 - 1);
    };
    const every = Array.from({ length: rank }, (_, axis) => axis);
    return writer.node(
      'StridedSlice',
      [
        x,
        place(node.attrs.starts, starts, 0),
        place(node.attrs.ends, ends, 0),
        writer.ints(every.map((axis) => (axes.includes(axis) ? steps[axes.indexOf(axis)]! : 1))),
      ],
      {
        begin_mask: isSet(every.map((axis) => open(node.attrs.starts, axis))),
        end_mask: isSet(every.map((axis) => open(node.attrs.ends, axis))),
        ellipsis_mask: int(0),
        new_axis_mask: int(0),
        shrink_axis_mask: int(0),
      },
      node.outputs,
    );
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** TF.js slices with steps up to rank 4: beyond that by the indices of every axis. */
function axisByAxis(
  node: Node<typeof ops.Slice>,
  writer: GraphWriter,
  rank: number,
): { readonly gap: string } | void {
  const { axes, starts, steps } = node.attrs;
  const result = node.outputs[0]!.shape;
  const source = node.operands.x.shape!;
  if (!starts || !result) return gap(`its bounds depend on data, in ${rank} dimensions`);
  const y = axes.reduce<Operand>((x, axis, i) => {
    const [start, step, count, size] = [starts[i]!, steps[i]!, result[axis]!, source[axis]!];
    if (typeof start !== 'number' || !isStatic([count, size]))
      throw writer.unwritable('its bounds rest on a size that is not known');
    const whole = size as number;
    const first = Math.min(
      Math.max(start < 0 ? start + whole : start, 0),
      step < 0 ? whole - 1 : whole,
    );
    const indices = Array.from({ length: count as number }, (_, k) => first + k * step);
    return writer.step('GatherV2', [x, writer.ints(indices), writer.int(axis)], {
      batch_dims: int(0),
    });
  }, node.operands.x);
  return writer.set(node.outputs[0]!, writer.ref(y));
}

/** Slices, both directions. */
export const slicing = { toCore, fromCore };
