import { inType } from '../building/normalisation.js';
import { buildRegionSamples, buildSize, type SampledAxis } from '../building/region-samples.js';
import { scalar } from '../building/scalar.js';
import { couldEqual, sameDType } from '../constraints/same-type.js';
import { knownShape, type Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { alignRegions } from '../numeric/region-align.js';
import { floatTypes } from '../tensor/dtype.js';
import { indicesInto } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { add } from './add.js';
import { and } from './and.js';
import { bool, float, int, ints } from './attr.js';
import { cast } from './cast.js';
import { defineOp, one } from './define-op.js';
import { floor } from './floor.js';
import { greaterOrEqual } from './greater-or-equal.js';
import { fixed } from './layout.js';
import { lessOrEqual } from './less-or-equal.js';
import { max } from './max.js';
import { min } from './min.js';
import { mul } from './mul.js';
import { reduceMean } from './reduce-mean.js';
import { reshape } from './reshape.js';
import { ofTerms } from './rounding.js';
import { slice } from './slice.js';
import { sub } from './sub.js';
import { transpose } from './transpose.js';
import { unsqueeze } from './unsqueeze.js';

/** A region is sampled at no more places along an axis: they are written out. */
const maxSamples = 2 ** 16;

/** One coordinate of every region, [regions, 1], in elements of the image. */
function edge(graph: Graph, regions: Value, index: number, scale: number, offset: number): Value {
  const x = graph.add(
    slice,
    { x: regions },
    { axes: [1], starts: [index], ends: [index + 1], steps: [1] },
  ).y;
  const scaled = graph.add(mul, { a: x, b: scalar(graph, x.dtype, scale) }, {}).y;
  return offset === 0
    ? scaled
    : graph.add(sub, { a: scaled, b: scalar(graph, x.dtype, offset) }, {}).y;
}

/**
 * Where the samples of every region lie on an axis of `size` elements, and which of them lie in the
 * image or less than one element beside it.
 */
function sampled(
  graph: Graph,
  start: Value,
  end: Value,
  size: Value,
  bins: number,
  samples: number,
  atLeastOne: boolean,
) {
  const { dtype } = start;
  const number = (value: number) => scalar(graph, dtype, value);
  const given = graph.add(sub, { a: end, b: start }, {}).y;
  const extent = atLeastOne ? graph.add(max, { a: given, b: number(1) }, {}).y : given;
  const places = Array.from({ length: bins * samples }, (_, i) => (i + 0.5) / samples / bins);
  const within = graph.add(
    mul,
    { a: extent, b: graph.literal(dtype, [1, places.length], places) },
    {},
  ).y;
  const position = graph.add(add, { a: start, b: within }, {}).y;
  const count = inType(graph, size, dtype);
  const last = graph.add(sub, { a: count, b: number(1) }, {}).y;
  const near = graph.add(
    and,
    {
      a: graph.add(greaterOrEqual, { a: position, b: number(-1) }, {}).y,
      b: graph.add(lessOrEqual, { a: position, b: count }, {}).y,
    },
    {},
  ).y;
  const inside = graph.add(
    min,
    { a: graph.add(max, { a: position, b: number(0) }, {}).y, b: last },
    {},
  ).y;
  const low = graph.add(floor, { x: inside }, {}).y;
  const high = graph.add(min, { a: graph.add(add, { a: low, b: number(1) }, {}).y, b: last }, {}).y;
  const index = (x: Value) => graph.add(cast, { x }, { to: 'int64' }).y;
  const axis: SampledAxis = {
    low: index(low),
    high: index(high),
    fraction: graph.add(sub, { a: inside, b: low }, {}).y,
  };
  return { axis, near: inType(graph, near, dtype) };
}

/**
 * Regions of images resampled to one size, as ONNX RoiAlign-16 in its average mode: each element is
 * the mean of `samples` x `samples` values inside its bin, linear between neighbours. A row of
 * `regions` is (x, y, x, y), which is multiplied by `scale` and moved by -`offset`; with
 * `atLeastOne` a region is at least one element wide and high. What lies more than one element
 * outside counts as zero.
 */
export const roiAlign = defineOp({
  name: 'RoiAlign',
  summary:
    'The `regions` of the images `x`, each of the image that `images` says, resampled to `size` by averages of `samples` values in each direction.',
  inputs: { x: one(...floatTypes), regions: one(...floatTypes), images: one('int64', 'int32') },
  outputs: { y: one(...floatTypes) },
  attrs: { size: ints(), samples: int(), scale: float(), offset: float(), atLeastOne: bool() },
  constraints: {
    C1: {
      says: 'x and regions have one element type',
      holds: ({ x, regions }) => sameDType(x, regions),
    },
    C2: {
      says: 'x is [images, channels, rows, columns]',
      holds: ({ x }) => !x.shape || x.shape.length === 4,
    },
    C3: {
      says: 'regions are rows of four numbers',
      holds: ({ regions }) =>
        !regions.shape || (regions.shape.length === 2 && couldEqual(regions.shape[1], 4)),
    },
    C4: {
      says: 'there is an image for each region',
      holds: ({ regions, images }) =>
        !images.shape ||
        (images.shape.length === 1 && couldEqual(images.shape[0], regions.shape?.[0])),
    },
    C5: {
      says: `the size is two positive numbers, and there are from 1 to ${maxSamples} samples along each axis`,
      holds: (_, { size, samples }) =>
        size.length === 2 &&
        samples > 0 &&
        size.every((count) => count > 0 && count * samples <= maxSamples),
    },
    C6: {
      says: 'the images are not empty',
      holds: ({ x }) => x.shape?.slice(2).includes(0) !== true,
    },
  },
  infer: ({ x, regions, images }, { size }, { fresh }) => {
    const count = regions.shape?.[0] ?? images.shape?.[0] ?? fresh('regions');
    return { y: { dtype: x.dtype, shape: [count, x.shape?.[1] ?? fresh('channels'), ...size] } };
  },
  demands: ({ x }) => ({ images: indicesInto(x.shape?.[0]) }),
  evaluate: ({ x, regions, images }, attrs) => ({ y: alignRegions(x, regions, images, attrs) }),
  // Positions in float32 are off by about their size in units of the last place; the slope of the
  // data turns that into an error.
  layout: fixed('its images have their channels first'),
  rounding: ({ x }) => ofTerms(4 + (x[2]! + x[3]!) / 4),
  examples: [
    {
      // Bins from 0 to 1 and from 1 to 2 in each direction, sampled in their middle.
      inputs: {
        x: tensor('float32', [1, 1, 3, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8]),
        regions: tensor('float32', [1, 4], [0, 0, 4, 4]),
        images: tensor('int64', [1], [0]),
      },
      attrs: { size: [2, 2], samples: 1, scale: 0.5, offset: 0, atLeastOne: true },
      outputs: { y: tensor('float32', [1, 1, 2, 2], [2, 3, 5, 6]) },
    },
    {
      // Half a pixel to the left and up, and mostly outside: the samples are at -1.5, -0.5, 0.5 and
      // 1.5.
      inputs: {
        x: tensor('float32', [2, 1, 2, 2], [9, 9, 9, 9, 1, 3, 5, 7]),
        regions: tensor('float32', [1, 4], [-1.5, 0.5, 2.5, 2.5]),
        images: tensor('int64', [1], [1]),
      },
      attrs: { size: [1, 2], samples: 2, scale: 1, offset: 0.5, atLeastOne: false },
      outputs: { y: tensor('float32', [1, 1, 1, 2], [2, 5.5]) },
    },
  ],
  decompose: ({ x, regions, images }, { size, samples, scale, offset, atLeastOne }, graph) => {
    const [left, top, right, bottom] = [0, 1, 2, 3].map((i) =>
      edge(graph, regions, i, scale, offset),
    ) as [Value, Value, Value, Value];
    const last = graph.add(transpose, { x }, { perm: [0, 2, 3, 1] }).y;
    const rows = sampled(
      graph,
      top,
      bottom,
      buildSize(graph, last, 1),
      size[0]!,
      samples,
      atLeastOne,
    );
    const columns = sampled(
      graph,
      left,
      right,
      buildSize(graph, last, 2),
      size[1]!,
      samples,
      atLeastOne,
    );
    const values = buildRegionSamples(
      graph,
      last,
      inType(graph, images, 'int64'),
      rows.axis,
      columns.axis,
    );
    const wide = (value: Value, axes: readonly number[]) =>
      graph.add(unsqueeze, { x: value }, { axes }).y;
    const near = graph.add(
      mul,
      { a: wide(rows.near, [2, 3]), b: wide(columns.near, [1, 3]) },
      {},
    ).y;
    const masked = graph.add(mul, { a: values, b: near }, {}).y;
    const bins = graph.add(
      reshape,
      { x: masked },
      { shape: [-1, size[0]!, samples, size[1]!, samples, knownShape(x)[1]!] },
    ).y;
    const mean = graph.add(reduceMean, { x: bins }, { axes: [2, 4], keepdims: false }).y;
    return { y: graph.add(transpose, { x: mean }, { perm: [0, 3, 1, 2] }).y };
  },
});
