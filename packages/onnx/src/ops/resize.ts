import {
  floorDivDim,
  mulDim,
  ops,
  sameDim,
  toNumbers,
  type AttrValues,
  type Dim,
  type Shape,
  type Value,
} from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import { float, int, text } from '../vocabulary/attribute.js';
import { axisOf } from '../vocabulary/axis.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { Compose } from '../vocabulary/compose.js';
import { versions, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { meaningOf } from '../vocabulary/word.js';

type ResizeAttrs = AttrValues<(typeof ops.Resize)['attrs']>;

const coordinateModes: ReadonlyMap<string, ResizeAttrs['coordinates']> = new Map<
  string,
  ResizeAttrs['coordinates']
>([
  ['half_pixel', 'halfPixel'],
  ['half_pixel_symmetric', 'halfPixelSymmetric'],
  ['pytorch_half_pixel', 'pytorchHalfPixel'],
  ['align_corners', 'alignCorners'],
  ['asymmetric', 'asymmetric'],
  ['tf_half_pixel_for_nn', 'tfHalfPixelNearest'],
]);

const nearestModes: ReadonlyMap<string, ResizeAttrs['nearest']> = new Map<
  string,
  ResizeAttrs['nearest']
>([
  ['round_prefer_floor', 'roundPreferFloor'],
  ['round_prefer_ceil', 'roundPreferCeil'],
  ['floor', 'floor'],
  ['ceil', 'ceil'],
]);

const resizeModes: ReadonlyMap<string, ResizeAttrs['mode']> = new Map<string, ResizeAttrs['mode']>([
  ['nearest', 'nearest'],
  ['linear', 'linear'],
  ['bilinear', 'linear'],
  ['cubic', 'cubic'],
]);

/** Axes whose size changes or may change; the rest are not resampled. */
function resample(
  node: SourceNode,
  x: Value,
  axes: readonly number[],
  scales: readonly number[] | undefined,
  sizes: Shape | undefined,
  how: Omit<ResizeAttrs, 'axes' | 'sizes' | 'scales'>,
): Value {
  if (!x.shape) throw node.unsupported('the rank of its operand is not known');
  if (axes.some((axis) => axis >= x.shape!.length))
    throw node.malformed(`it resamples ${axes.length} axes of ${x.shape.length}`);
  if ((sizes ?? scales)!.length !== axes.length)
    throw node.malformed(`it states ${(sizes ?? scales)!.length} sizes for ${axes.length} axes`);
  const target = sizes ?? axes.map((axis, i) => scaledSize(x.shape![axis]!, scales![i]!));
  if (!target.every((size) => size !== undefined))
    return resampleByScale(node, x, axes, scales!, how);
  const changed = axes.flatMap((axis, i) =>
    sameDim(target[i]!, x.shape![axis]!) && (scales?.[i] ?? 1) === 1 ? [] : [i],
  );
  const attrs = {
    ...how,
    axes: changed.map((i) => axes[i]!),
    sizes: changed.map((i) => target[i]!),
    scales: scales ? changed.map((i) => scales[i]!) : null,
  };
  return changed.length === 0 ? x : node.graph.add(ops.Resize, { x }, attrs, node.options).y;
}

function scaledSize(size: Dim, scale: number): Dim | undefined {
  if (typeof size === 'number') return Math.floor(size * scale);
  if (Number.isInteger(scale)) return mulDim(size, scale);
  if (Number.isInteger(1 / scale)) return floorDivDim(size, 1 / scale);
  return undefined;
}

/**
 * Sizes that are not known times scales that are not whole, rounded down: computed as the model
 * runs.
 */
function resampleByScale(
  node: SourceNode,
  x: Value,
  axes: readonly number[],
  scales: readonly number[],
  how: Omit<ResizeAttrs, 'axes' | 'sizes' | 'scales'>,
): Value {
  const compose = new Compose(node);
  const shape = node.graph.add(ops.Shape, { x }, {}, node.step('shape')).y;
  const sizes = compose.cast(
    compose.gather(shape, compose.ints(axes), 0, 'sizes'),
    'float32',
    'float_sizes',
  );
  const scaled = compose.binary(
    ops.Mul,
    sizes,
    node.graph.literal('float32', [axes.length], scales),
    'scaled',
  );
  const target = compose.cast(compose.unary(ops.Floor, scaled, 'floor'), 'int64', 'target');
  return node.graph.add(
    ops.Resize,
    { x, sizes: target },
    { ...how, axes, sizes: null, scales },
    node.options,
  ).y;
}

/** Upsample and Resize-10: coordinates asymmetric, nearest rounds down. */
const readUpsample =
  (scalesOf: (node: SourceNode) => readonly number[]): ToCore =>
  (node) => {
    const x = node.input(0);
    const scales = scalesOf(node);
    const mode = meaningOf(node, 'mode', resizeModes, 'nearest');
    const how = {
      mode,
      coordinates: 'asymmetric',
      cubicCoefficient: -0.75,
      excludeOutside: false,
      antialias: false,
    } as const;
    const along = (of: Value, nearest: 'floor' | 'ceil', isMeant: (scale: number) => boolean) => {
      const axes = scales.flatMap((scale, i) => (isMeant(scale) ? [i] : []));
      return resample(
        node,
        of,
        axes,
        axes.map((axis) => scales[axis]!),
        undefined,
        { ...how, nearest },
      );
    };
    // onnxruntime rounds up along axes that get smaller (NearestMode::SIMPLE); the specification
    // does not say.
    const smaller = mode === 'nearest' ? along(x, 'ceil', (scale) => scale < 1) : x;
    return along(smaller, 'floor', mode === 'nearest' ? (scale) => scale >= 1 : () => true);
  };

const readResize: ToCore = (node) => {
  const x = node.input(0);
  node.ignore('extrapolation_value');
  const transform = 'coordinate_transformation_mode';
  if (node.text(transform, 'half_pixel') === 'tf_crop_and_resize')
    throw node.unsupported('it crops to a region of interest (tf_crop_and_resize)');
  const mode = meaningOf(node, 'mode', resizeModes, 'nearest');
  const coordinates = meaningOf(node, transform, coordinateModes, 'half_pixel');
  const nearest = meaningOf(node, 'nearest_mode', nearestModes, 'round_prefer_floor');
  if (node.text('keep_aspect_ratio_policy', 'stretch') !== 'stretch')
    throw node.unsupported('it keeps the aspect ratio by a policy');
  const how = {
    mode,
    coordinates,
    nearest,
    cubicCoefficient: node.float('cubic_coeff_a', -0.75),
    excludeOutside: node.int('exclude_outside', 0) === 1,
    antialias: node.int('antialias', 0) === 1,
  };
  const axes =
    node.ints('axes')?.map((axis) => axisOf(node, axis, x.rank)) ??
    Array.from({ length: x.rank ?? 0 }, (_, i) => i);
  const sizes = node.optional(3);
  if (sizes && sizes.shape?.[0] !== 0) {
    if (!sizes.elements)
      return node.graph.add(
        ops.Resize,
        { x, sizes },
        { ...how, axes, sizes: null, scales: null },
        node.options,
      ).y;
    return resample(node, x, axes, undefined, sizes.elements, how);
  }
  return resample(node, x, axes, Array.from(toNumbers(node.constant(2))), undefined, how);
};

const toCore = {
  Resize: versions(
    [10, readUpsample((node) => Array.from(toNumbers(node.constant(1))))],
    [11, readResize],
  ),
  Upsample: versions(
    [7, readUpsample((node) => node.floats('scales') ?? [])],
    [9, readUpsample((node) => Array.from(toNumbers(node.constant(1))))],
  ),
} satisfies ReadRules;

const wordFor = <V>(words: ReadonlyMap<string, V>, meaning: V): string =>
  [...words].find(([, each]) => each === meaning)![0];

const fromCore = {
  Resize: (node, writer) => {
    const { x, sizes: operand } = node.operands;
    const {
      axes,
      mode,
      coordinates,
      nearest,
      cubicCoefficient,
      excludeOutside,
      antialias,
      sizes,
      scales,
    } = node.attrs;
    const isNearestTf = coordinates === 'tfHalfPixelNearest';
    if (coordinates === 'halfPixelSymmetric' && writer.opset < 19)
      return gap('symmetric half pixel coordinates need operator set 19');
    if (antialias && writer.opset < 18) return gap('antialiasing needs operator set 18');
    const attributes = {
      mode: text(mode),
      // TensorFlow's nearest neighbour with half pixel centres floors (i + 0.5) / scale; half a
      // pixel less, rounded with ties up, is the same.
      coordinate_transformation_mode: text(
        isNearestTf ? 'half_pixel' : wordFor(coordinateModes, coordinates),
      ),
      nearest_mode:
        mode === 'nearest'
          ? text(isNearestTf ? 'round_prefer_ceil' : wordFor(nearestModes, nearest))
          : undefined,
      cubic_coeff_a: mode === 'cubic' ? float(cubicCoefficient) : undefined,
      exclude_outside: excludeOutside ? int(1) : undefined,
      antialias: antialias ? int(1) : undefined,
    };
    const rank = x.rank;
    if (rank === undefined || !x.shape) return gap('the rank of its operand is not known');
    if (scales) {
      const all = new Array<number>(rank).fill(1);
      axes.forEach((axis, i) => (all[axis] = scales[i]!));
      return writer.node(
        'Resize',
        [x, undefined, writer.literal('float32', [rank], all)],
        attributes,
        node.outputs,
      );
    }
    if (sizes === null) {
      // Sizes of all axes: onnxruntime before 1.24 fails on sizes of some that depend on data.
      const [first, last] = [axes[0] ?? 0, (axes.at(-1) ?? -1) + 1];
      if (axes.some((axis, i) => axis !== first + i))
        return gap('it resizes axes that are not neighbours to sizes that depend on data');
      const [before, behind] = [x.shape.slice(0, first), x.shape.slice(last)];
      if (!writer.canCompute([...before, ...behind]))
        return gap('the size of its result depends on data');
      const parts = [
        ...(before.length > 0 ? [writer.dims(before)] : []),
        writer.int64(operand!),
        ...(behind.length > 0 ? [writer.dims(behind)] : []),
      ];
      const whole = parts.length === 1 ? parts[0]! : writer.step('Concat', parts, { axis: int(0) });
      return writer.node('Resize', [x, undefined, undefined, whole], attributes, node.outputs);
    }
    const all = [...x.shape];
    axes.forEach((axis, i) => (all[axis] = sizes[i]!));
    if (!writer.canCompute(all)) return gap('the size of its result depends on data');
    return writer.node(
      'Resize',
      [x, undefined, undefined, writer.dims(all)],
      attributes,
      node.outputs,
    );
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Resampling, both directions. */
export const resize = { toCore, fromCore };
