import { ops, toNumbers, type Value } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import { dataTypeOf } from '../codec/data-type.js';
import { float, int, text } from '../vocabulary/attribute.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { Compose, shapeOf } from '../vocabulary/compose.js';
import { always, versions, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { meaningOf } from '../vocabulary/word.js';

/** Most classes times images for which boxes are selected one after the other. */
const maxSelections = 256;

/**
 * Larger counts say no more than this one, which every format can hold: exporters write the largest
 * integer for no limit.
 */
const noLimit = 2 ** 31 - 1;

/** One number that an operand holds. Throws `core/foreign-op` when it depends on data. */
function numberOf(node: SourceNode, index: number, otherwise: number): number {
  if (!node.optional(index)) return otherwise;
  return toNumbers(node.constant(index))[0]!;
}

/** Opposite corners of boxes that are given by centre, width and height. */
function cornersOf(compose: Compose, boxes: Value): Value {
  const [x, y, width, height] = compose.split(boxes, 2, [1, 1, 1, 1], 'box') as [
    Value,
    Value,
    Value,
    Value,
  ];
  const [right, down] = [
    compose.scale(width, 0.5, 'half_width'),
    compose.scale(height, 0.5, 'half_height'),
  ];
  const corner = (center: Value, half: Value, step: string) => [
    compose.binary(ops.Sub, center, half, `${step}_start`),
    compose.binary(ops.Add, center, half, `${step}_end`),
  ];
  const [[top, bottom], [left, end]] = [corner(y, down, 'y'), corner(x, right, 'x')] as [
    [Value, Value],
    [Value, Value],
  ];
  return compose.concat([top, left, bottom, end], 2, 'corners');
}

/** Rows of (image, class, box), one image and one class after the other. */
const readNonMaxSuppression: ToCore = (node) => {
  const [given, scores] = [node.input(0), node.input(1)];
  const [images, classes] = shapeOf(node, scores);
  if (typeof images !== 'number' || typeof classes !== 'number' || images * classes > maxSelections)
    throw node.unsupported(
      `it selects boxes for ${images} images and ${classes} classes, which must be known and at most ${maxSelections} together`,
    );
  const compose = new Compose(node);
  const boxes = node.int('center_point_box', 0) === 1 ? cornersOf(compose, given) : given;
  const limit = node.optional(2);
  const stated = limit?.constant ? numberOf(node, 2, 0) : undefined;
  const count = limit ? (stated === undefined ? null : [Math.min(stated, noLimit)]) : [0];
  const attrs = {
    iouThreshold: numberOf(node, 3, 0),
    scoreThreshold: numberOf(node, 4, -Infinity),
    count,
  };
  const selections: Value[] = [];
  for (let image = 0; image < images; image++) {
    const of = compose.squeeze(
      compose.slice(boxes, 0, image, image + 1, 1, `image${image}`),
      [0],
      `boxes${image}`,
    );
    const all = compose.squeeze(
      compose.slice(scores, 0, image, image + 1, 1, `scores${image}`),
      [0],
      `classes${image}`,
    );
    for (let kind = 0; kind < classes; kind++) {
      const name = `${image}_${kind}`;
      const own = compose.squeeze(
        compose.slice(all, 0, kind, kind + 1, 1, `score${name}`),
        [0],
        `scores${name}`,
      );
      const operands = { boxes: of, scores: own, ...(count === null && { count: limit! }) };
      const { indices } = node.graph.add(
        ops.NonMaxSuppression,
        operands,
        attrs,
        node.step(`selected${name}`),
      );
      const column = compose.unsqueeze(indices, [1], `column${name}`);
      const fixed = (value: number, step: string) =>
        compose.binary(
          ops.Add,
          compose.binary(ops.Mul, column, compose.scalar('int64', 0), `${step}_zero`),
          compose.scalar('int64', value),
          step,
        );
      selections.push(
        compose.concat(
          [fixed(image, `image${name}`), fixed(kind, `class${name}`), column],
          1,
          `rows${name}`,
        ),
      );
    }
  }
  return selections.length === 1 ? selections[0]! : compose.concat(selections, 0);
};

const offsets: ReadonlyMap<string, number> = new Map([
  ['half_pixel', 0.5],
  ['output_half_pixel', 0],
]);

/** `output_half_pixel` is what the operator did before version 16, where it had no attribute. */
const readRoiAlign =
  (transform: string): ToCore =>
  (node) => {
    if (node.text('mode', 'avg') !== 'avg')
      throw node.unsupported('it takes the largest of products of samples and weights');
    const samples = node.int('sampling_ratio', 0);
    if (samples === 0) throw node.unsupported('it samples each region as densely as its size asks');
    const offset = meaningOf(node, 'coordinate_transformation_mode', offsets, transform);
    const attrs = {
      size: [node.int('output_height', 1), node.int('output_width', 1)],
      samples,
      scale: node.float('spatial_scale', 1),
      offset,
      atLeastOne: offset === 0,
    };
    return node.graph.add(
      ops.RoiAlign,
      { x: node.input(0), regions: node.input(1), images: node.input(2) },
      attrs,
      node.options,
    ).y;
  };

const toCore = {
  NonMaxSuppression: always(readNonMaxSuppression),
  RoiAlign: versions([10, readRoiAlign('output_half_pixel')], [16, readRoiAlign('half_pixel')]),
} satisfies ReadRules;

const fromCore = {
  NonMaxSuppression: (node, writer) => {
    const { boxes, scores, count: operand } = node.operands;
    const { iouThreshold, scoreThreshold, count } = node.attrs;
    const most = count === null ? writer.vector(operand!) : writer.dims(count);
    const [image, kind] = [writer.ints([0]), writer.ints([0, 1])];
    const wide = (value: Value) =>
      value.dtype === 'float32'
        ? value
        : writer.step('Cast', [value], { to: int(dataTypeOf('float32')) });
    const single = [
      writer.step('Unsqueeze', [wide(boxes), image]),
      writer.step('Unsqueeze', [wide(scores), kind]),
    ];
    const threshold = (value: number) => writer.literal('float32', [1], [value]);
    const limits = [
      most,
      threshold(iouThreshold),
      ...(scoreThreshold === -Infinity ? [] : [threshold(scoreThreshold)]),
    ];
    const rows = writer.step('NonMaxSuppression', [...single, ...limits]);
    const column = writer.step('Slice', [
      rows,
      writer.ints([2]),
      writer.ints([3]),
      writer.ints([1]),
    ]);
    writer.node('Squeeze', [column, writer.ints([1])], {}, node.outputs);
  },
  RoiAlign: (node, writer) => {
    const { x, regions, images } = node.operands;
    const { size, samples, scale, offset, atLeastOne } = node.attrs;
    const isLegacy = offset === 0 && atLeastOne;
    if (!isLegacy && (offset !== 0.5 || atLeastOne))
      return gap('ONNX keeps regions at least one element wide just where it does not move them');
    const attributes = {
      coordinate_transformation_mode:
        writer.opset < 16 ? undefined : text(isLegacy ? 'output_half_pixel' : 'half_pixel'),
      output_height: int(size[0]!),
      output_width: int(size[1]!),
      sampling_ratio: int(samples),
      spatial_scale: float(scale),
    };
    return writer.node('RoiAlign', [x, regions, writer.int64(images)], attributes, node.outputs);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators on boxes and regions of images, both directions. */
export const detection = { toCore, fromCore };
