import { type ops, productOf, type AttrValues, type Dim, type Node } from '@drover/core';
import { gap, spatialOf, type WriteRules } from '@drover/core/format';
import { int } from '../vocabulary/attribute.js';
import type { GraphWriter, Ref } from '../vocabulary/graph-writer.js';
import { channelsLastOnly } from '../vocabulary/window.js';
import { taps } from './taps.js';

type Sampling = AttrValues<(typeof ops.GridSample)['attrs']>;

/**
 * One of the elements that make a sample: where it lies (int32) and its weight (float32; undefined
 * for 1), for each position of a grid.
 */
interface Tap {
  readonly index: Ref;
  readonly weight: Ref | undefined;
}

/** The taps along one axis of x, of a size, for positions from -1 to 1 on it. */
function tapsAlong(
  writer: GraphWriter,
  place: Ref,
  dim: Dim,
  { mode, padding, alignCorners }: Sampling,
): readonly Tap[] {
  const float = (value: number) => writer.literal('float32', [], [value]);
  const step = (op: string) => (a: Ref, b: Ref) => writer.step(op, [a, b]);
  const [add, sub, mul, least, most] = [
    step('AddV2'),
    step('Sub'),
    step('Mul'),
    step('Minimum'),
    step('Maximum'),
  ];
  const size = writer.cast(writer.dim(dim), 'float32');
  const [last, moved] = [sub(size, float(1)), add(place, float(1))];
  const at = alignCorners
    ? mul(mul(moved, float(0.5)), last)
    : mul(sub(mul(moved, size), float(1)), float(0.5));
  const clamped = (index: Ref) => least(most(index, float(0)), last);
  const period = alignCorners ? most(mul(last, float(2)), float(1)) : mul(size, float(2));
  const folded = (index: Ref) => {
    const rest = writer.step('FloorMod', [index, period]);
    return least(rest, sub(alignCorners ? period : sub(period, float(1)), rest));
  };
  const settled = ({ index, weight }: Tap): Tap => {
    // A position that is no number, or far away, still has to be an index.
    const inside = clamped(padding === 'reflection' ? folded(index) : index);
    const whole = writer.cast(inside, 'int32');
    if (padding !== 'zeros') return { index: whole, weight };
    const isInside = writer.step('Equal', [inside, index], {}, 'bool');
    return {
      index: whole,
      weight: writer.step(
        'SelectV2',
        [isInside, weight ?? writer.step('OnesLike', [index]), writer.step('ZerosLike', [index])],
        {},
        'float32',
      ),
    };
  };
  if (mode === 'nearest')
    return [settled({ index: writer.step('Round', [at]), weight: undefined })];
  const before = writer.step('Floor', [at]);
  const found = taps(writer, sub(at, before), mode === 'cubic' ? -0.75 : undefined);
  return found.map(([offset, weight]) =>
    settled({ index: offset === 0 ? before : add(before, float(offset)), weight }),
  );
}

/** Rows of x, one for each element of its spatial axes, gathered and weighed. */
function writeGridSample(
  node: Node<typeof ops.GridSample>,
  writer: GraphWriter,
): { readonly gap: string } | void {
  const { x, grid } = node.operands;
  if (node.attrs.layout !== 'channelsLast') return channelsLastOnly;
  if (!x.shape || !grid.shape) return gap('the rank of its operand is not known');
  const sizes = spatialOf('channelsLast', x.shape);
  const count = sizes.length;
  const [batch, channels] = [x.shape[0]!, x.shape.at(-1)!];
  const rows = productOf(sizes);
  const step = (op: string) => (a: Ref, b: Ref) => writer.step(op, [a, b]);
  const [add, mul] = [step('AddV2'), step('Mul')];
  const places = writer.steps(
    'Unpack',
    [grid],
    { axis: int(count + 1) },
    new Array(count).fill(writer.dtype(grid)),
  );
  const images = mul(
    writer.step('Range', [writer.int(0), writer.size(batch), writer.int(1)]),
    writer.size(rows),
  );
  const first: Tap = {
    index: writer.reshape(images, [batch, ...sizes.map(() => 1)]),
    weight: undefined,
  };
  const both = (a: Ref | undefined, b: Ref | undefined) => (a && b ? mul(a, b) : (a ?? b));
  // The grid names the last axis first.
  const all = sizes.reduce<readonly Tap[]>(
    (outer, size, axis) => {
      const stride = productOf(sizes.slice(axis + 1));
      const inner = tapsAlong(writer, places[count - 1 - axis]!, size, node.attrs).map(
        ({ index, weight }) => ({
          index: stride === 1 ? index : mul(index, writer.size(stride)),
          weight,
        }),
      );
      return outer.flatMap((a) =>
        inner.map((b): Tap => ({ index: add(a.index, b.index), weight: both(a.weight, b.weight) })),
      );
    },
    [first],
  );
  const table = writer.reshape(x, [-1, channels]);
  const gathered = all.map(({ index, weight }): Ref => {
    const values = writer.step('GatherV2', [table, index, writer.int(0)], { batch_dims: int(0) });
    return weight
      ? mul(values, writer.step('ExpandDims', [weight, writer.int(count + 1)]))
      : values;
  });
  return writer.set(node.outputs[0]!, gathered.reduce(add));
}

/** Sampling by a grid, which TensorFlow has to be told element by element. */
export const gridSample = {
  fromCore: { GridSample: writeGridSample } satisfies Partial<WriteRules<GraphWriter>>,
};
