import {
  isStatic,
  maxDim,
  minDim,
  mulDim,
  ops,
  sameDim,
  subDim,
  tensor,
  type AttrValues,
  type Dim,
  type Node,
  type Value,
} from '@drover/core';
import { bounds, exactQuotient, gap, type WriteRules } from '@drover/core/format';
import { bool, int } from '../vocabulary/attribute.js';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import { taps } from './taps.js';

type ResizeAttrs = AttrValues<(typeof ops.Resize)['attrs']>;

const plain = {
  cubicCoefficient: -0.75,
  excludeOutside: false,
  antialias: false,
  sizes: null,
  scales: null,
  axes: [1, 2],
} as const;

/**
 * Images are N, height, width, C. `align_corners` and `half_pixel_centers` say where the pixels
 * lie.
 */
const readResize =
  (mode: 'nearest' | 'linear'): ToCore =>
  (node) => {
    const alignCorners = node.bool('align_corners', false);
    const halfPixel = node.bool('half_pixel_centers', false);
    const how = (): Pick<ResizeAttrs, 'coordinates' | 'nearest'> => {
      if (alignCorners) return { coordinates: 'alignCorners', nearest: 'roundPreferCeil' };
      if (halfPixel)
        return {
          coordinates: mode === 'nearest' ? 'tfHalfPixelNearest' : 'halfPixel',
          nearest: 'floor',
        };
      return { coordinates: 'asymmetric', nearest: 'floor' };
    };
    const images = node.input(0);
    // Interpolation gives float32 whatever the images are.
    const x = mode === 'linear' ? node.cast(images, 'float32', 'images') : images;
    return node.graph.add(
      ops.Resize,
      { x, sizes: node.input(1) },
      { ...plain, mode, ...how() },
      node.options,
    ).y;
  };

const toCore = {
  ResizeBilinear: readResize('linear'),
  ResizeNearestNeighbor: readResize('nearest'),
} satisfies ReadRules;

/** The TensorFlow flags that place the pixels as a node does; undefined when there are none. */
function flagsOf(
  { mode, coordinates, nearest, antialias, scales, sizes, axes }: ResizeAttrs,
  x: Value,
): { align: boolean; half: boolean } | undefined {
  if (antialias || mode === 'cubic') return undefined;
  // Scales that the source states may differ from what the sizes say; then the pixels lie
  // elsewhere.
  const factors = axes.map((axis, i) => {
    const [from, to] = [x.shape![axis]!, sizes?.[i]];
    const scale = scales?.[i];
    if (scale === undefined)
      return to === undefined
        ? undefined
        : typeof from === 'number' && typeof to === 'number'
          ? to / from
          : exactQuotient(to, from);
    if (typeof from === 'number' && typeof to === 'number')
      return from * scale === to ? scale : NaN;
    return Number.isInteger(scale) ? scale : NaN;
  });
  if (factors.some((factor) => Number.isNaN(factor))) return undefined;
  const off = { align: false, half: false };
  if (mode === 'linear') {
    if (coordinates === 'halfPixel' || coordinates === 'halfPixelSymmetric')
      return { align: false, half: true };
    if (coordinates === 'pytorchHalfPixel' && sizes?.every((size) => size !== 1))
      return { align: false, half: true };
    if (coordinates === 'alignCorners') return { align: true, half: false };
    return coordinates === 'asymmetric' ? off : undefined;
  }
  // Where every pixel is repeated a whole number of times, all ways to round agree, but for those
  // of aligned corners.
  const repeats = factors.every((factor) => typeof factor === 'number' && Number.isInteger(factor));
  if (
    repeats &&
    (coordinates === 'halfPixel' ||
      coordinates === 'halfPixelSymmetric' ||
      coordinates === 'pytorchHalfPixel') &&
    nearest.startsWith('round')
  )
    return off;
  if (coordinates === 'asymmetric' && nearest === 'floor') return off;
  if (coordinates === 'tfHalfPixelNearest' && nearest === 'floor')
    return { align: false, half: true };
  return coordinates === 'alignCorners' && nearest === 'roundPreferCeil'
    ? { align: true, half: false }
    : undefined;
}

/**
 * Largest matrix of interpolation weights, in elements, that is written for a form of resampling
 * that TensorFlow lacks.
 */
const maxMatrixElements = 1 << 22;

/**
 * Resampling along one axis of known sizes: by indices for the nearest element, else by a matrix of
 * weights, both taken from the reference.
 */
function along(
  writer: GraphWriter,
  x: Ref,
  shape: readonly number[],
  index: number,
  attrs: ResizeAttrs,
): Ref {
  const axis = attrs.axes[index]!;
  const size = attrs.sizes![index] as number;
  const from = shape[axis]!;
  const one = {
    ...attrs,
    axes: [0],
    sizes: [size],
    scales: attrs.scales && [attrs.scales[index]!],
  };
  const evaluated = (given: ReturnType<typeof tensor>) =>
    ops.Resize.evaluate({ x: given, sizes: undefined }, one, {
      run: async () => [],
      results: () => [],
      resultCount: 1,
    });
  const values = (made: ReturnType<typeof evaluated>) =>
    Array.from((made as { readonly y: { readonly data: ArrayLike<number> } }).y.data);
  if (attrs.mode === 'nearest') {
    const indices = values(
      evaluated(
        tensor(
          'int32',
          [from],
          Array.from({ length: from }, (_, i) => i),
        ),
      ),
    );
    return writer.step('GatherV2', [x, writer.ints(indices), writer.int(axis)], {
      batch_dims: int(0),
    });
  }
  if (from * size > maxMatrixElements)
    throw writer.unwritable('it resamples too many elements in a way that TensorFlow lacks');
  const identity = tensor(
    'float64',
    [from, from],
    Array.from({ length: from * from }, (_, i) => (i % (from + 1) === 0 ? 1 : 0)),
  );
  // [size, from] to the right of x, whose axis goes to the end and back.
  const weights = writer.step('Transpose', [
    writer.literal('float32', [size, from], values(evaluated(identity))),
    writer.ints([1, 0]),
  ]);
  const rank = shape.length;
  const swap = Array.from({ length: rank }, (_, i) =>
    i === axis ? rank - 1 : i === rank - 1 ? axis : i,
  );
  const moved = axis === rank - 1 ? x : writer.step('Transpose', [x, writer.ints(swap)]);
  const outer = swap.slice(0, -1).map((i) => shape[i]!);
  const flat = writer.step(
    'MatMul',
    [writer.step('Reshape', [moved, writer.ints([-1, from])]), weights],
    {
      transpose_a: bool(false),
      transpose_b: bool(false),
    },
  );
  const made = writer.step('Reshape', [flat, writer.ints([...outer, size])]);
  return axis === rank - 1 ? made : writer.step('Transpose', [made, writer.ints(swap)]);
}

/**
 * Positions on an axis of `from` elements, for each of the elements along the result, of which
 * there are `to` (int32 [1]).
 */
function positions(
  writer: GraphWriter,
  from: Dim,
  to: Ref,
  coordinates: ResizeAttrs['coordinates'],
  scale: number | undefined,
): Ref {
  const float = (value: number) => writer.literal('float32', [], [value]);
  const step = (op: string) => (a: Ref, b: Ref) => writer.step(op, [a, b]);
  const [add, sub, mul, div] = [step('AddV2'), step('Sub'), step('Mul'), step('RealDiv')];
  const [n, m] = [writer.cast(writer.dim(from), 'float32'), writer.cast(to, 'float32')];
  const at = writer.cast(
    writer.step('Range', [writer.int(0), writer.reshape(to, []), writer.int(1)]),
    'float32',
  );
  const unscaled = (place: Ref) =>
    scale === undefined ? div(mul(place, n), m) : div(place, float(scale));
  const centred = () => sub(unscaled(add(at, float(0.5))), float(0.5));
  const others = () => sub(m, float(1));
  switch (coordinates) {
    case 'asymmetric':
      return unscaled(at);
    case 'tfHalfPixelNearest':
      return unscaled(add(at, float(0.5)));
    case 'alignCorners':
      return div(mul(at, sub(n, float(1))), step('Maximum')(others(), float(1)));
    case 'pytorchHalfPixel':
      return mul(centred(), step('Minimum')(others(), float(1)));
    case 'halfPixel':
      return centred();
    case 'halfPixelSymmetric':
      return scale === undefined
        ? centred()
        : add(mul(div(n, float(2)), sub(float(1), div(m, mul(n, float(scale))))), centred());
  }
}

const rounding: Readonly<Record<ResizeAttrs['nearest'], readonly [op: string, shift: number]>> = {
  floor: ['Floor', 0],
  ceil: ['Ceil', 0],
  roundPreferFloor: ['Ceil', -0.5],
  roundPreferCeil: ['Floor', 0.5],
};

/**
 * Resampling along one axis whose sizes only the running model knows: it computes which elements to
 * gather, and their weights.
 */
function gathered(
  writer: GraphWriter,
  x: Operand,
  shape: readonly Dim[],
  index: number,
  to: Ref,
  attrs: ResizeAttrs,
): Ref {
  const axis = attrs.axes[index]!;
  const float = (value: number) => writer.literal('float32', [], [value]);
  const position = positions(writer, shape[axis]!, to, attrs.coordinates, attrs.scales?.[index]);
  const last = writer.step('Sub', [writer.dim(shape[axis]!), writer.int(1)]);
  const inside = (indices: Ref) =>
    writer.step('Maximum', [writer.step('Minimum', [indices, last]), writer.int(0)]);
  const gather = (indices: Ref) =>
    writer.step('GatherV2', [x, inside(indices), writer.int(axis)], { batch_dims: int(0) });
  if (attrs.mode === 'nearest') {
    const [op, shift] = rounding[attrs.nearest];
    return gather(
      writer.cast(
        writer.step(op, [shift === 0 ? position : writer.step('AddV2', [position, float(shift)])]),
        'int32',
      ),
    );
  }
  const before = writer.step('Floor', [position]);
  const whole = writer.cast(before, 'int32');
  const parts = taps(
    writer,
    writer.step('Sub', [position, before]),
    attrs.mode === 'linear' ? undefined : attrs.cubicCoefficient,
  ).map(([offset, weight]) => ({
    indices: offset === 0 ? whole : writer.step('AddV2', [whole, writer.int(offset)]),
    weight,
  }));
  const sum = (terms: readonly Ref[]) => terms.reduce((a, b) => writer.step('AddV2', [a, b]));
  // Taps outside are left out and the others scaled up; of two linear ones that makes the edge,
  // which is what they read anyway.
  const isShared = attrs.excludeOutside && attrs.mode === 'cubic';
  const kept = parts.map(({ indices, weight }) =>
    isShared
      ? writer.step('Mul', [
          weight,
          writer.cast(writer.step('Equal', [indices, inside(indices)], {}, 'bool'), 'float32'),
        ])
      : weight,
  );
  const along = (weights: Ref) =>
    writer.reshape(weights, [-1, ...shape.slice(axis + 1).map(() => 1)]);
  const made = sum(
    parts.map(({ indices }, i) => writer.step('Mul', [gather(indices), along(kept[i]!)])),
  );
  return isShared ? writer.step('RealDiv', [made, along(sum(kept))]) : made;
}

/** Without the axes along which nothing moves. */
function moving(attrs: ResizeAttrs, x: Value): ResizeAttrs {
  const { axes, sizes, scales, coordinates, nearest } = attrs;
  if (coordinates === 'tfHalfPixelNearest' && nearest !== 'floor') return attrs;
  const kept = axes.flatMap((axis, i) =>
    sizes && sameDim(sizes[i]!, x.shape![axis]!) && (scales?.[i] ?? 1) === 1 ? [] : [i],
  );
  const pick = <T>(list: readonly T[]) => kept.map((i) => list[i]!);
  return {
    ...attrs,
    axes: pick(axes),
    sizes: sizes && pick(sizes),
    scales: scales && pick(scales),
  };
}

/**
 * Half pixels at a length of 1 take the first element of PyTorch's images, not the middle: there is
 * nothing else then.
 */
function firstWhereSingle(
  writer: GraphWriter,
  x: Value,
  { axes, sizes, coordinates, mode }: ResizeAttrs,
): Operand {
  const mayBeSingle = (size: Dim) => bounds(size)[0] <= 1;
  if (mode === 'nearest' || coordinates !== 'pytorchHalfPixel' || !sizes!.some(mayBeSingle))
    return x;
  const ends = x.shape!.map((dim, axis): Dim => {
    const to = sizes![axes.indexOf(axis)];
    return to !== undefined && mayBeSingle(to)
      ? maxDim(minDim(dim, mulDim(subDim(to, 1), dim)), 1)
      : dim;
  });
  return writer.step('Slice', [
    x,
    writer.ints(ends.map(() => 0)),
    writer.dims(ends.map((end, axis) => (sameDim(end, x.shape![axis]!) ? -1 : end))),
  ]);
}

function writeResize(
  node: Node<typeof ops.Resize>,
  writer: GraphWriter,
): { readonly gap: string } | void {
  const { x, sizes: operand } = node.operands;
  if (!x.shape) return gap('the rank of its operand is not known');
  const attrs = moving(node.attrs, x);
  if (attrs.axes.length === 0) return writer.set(node.outputs[0]!, writer.ref(x));
  const flags =
    attrs.axes.every((axis) => axis === 1 || axis === 2) && x.shape.length === 4
      ? flagsOf(attrs, x)
      : undefined;
  if (flags && (attrs.sizes || attrs.axes.join() === '1,2')) {
    const sizeOf = (axis: number) => attrs.sizes![attrs.axes.indexOf(axis)] ?? x.shape![axis]!;
    const sizes = attrs.sizes
      ? writer.dims([sizeOf(1), sizeOf(2)])
      : writer.cast(operand!, 'int32');
    const attributes = { align_corners: bool(flags.align), half_pixel_centers: bool(flags.half) };
    const images = attrs.sizes ? firstWhereSingle(writer, x, attrs) : x;
    return writer.node(
      attrs.mode === 'nearest' ? 'ResizeNearestNeighbor' : 'ResizeBilinear',
      [images, sizes],
      attributes,
      node.outputs,
    );
  }
  if (attrs.sizes && isStatic(attrs.sizes) && isStatic(x.shape)) {
    const shape = [...x.shape];
    let y = writer.ref(x);
    attrs.axes.forEach((axis, i) => {
      y = along(writer, y, shape, i, attrs);
      shape[axis] = attrs.sizes![i] as number;
    });
    return writer.set(node.outputs[0]!, y);
  }
  if (attrs.antialias) return gap('its filter is as wide as sizes say that are not known');
  const sizes = attrs.sizes ? undefined : writer.cast(operand!, 'int32');
  const made = attrs.axes.reduce((y: Operand, _, i) => {
    const to = sizes
      ? writer.step('Slice', [sizes, writer.ints([i]), writer.ints([1])])
      : writer.dim(attrs.sizes![i]!);
    return gathered(writer, y, x.shape!, i, to, attrs);
  }, x);
  return writer.set(node.outputs[0]!, writer.ref(made));
}

const fromCore = { Resize: writeResize } satisfies Partial<WriteRules<GraphWriter>>;

/** Resampling, both directions. */
export const resize = { toCore, fromCore };
