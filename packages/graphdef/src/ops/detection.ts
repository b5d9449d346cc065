import { ops, toNumbers, type Value, type WriteRules } from '@drover/core';
import type { GraphWriter } from '../export/graph-writer.js';
import type { ReadRules, ToCore } from '../import/rule.js';
import type { SourceNode } from '../import/source-node.js';

const numberOf = (node: SourceNode, index: number): number => toNumbers(node.constant(index))[0]!;

/** The selected indices, at most as many as operand 2 says. */
function selected(node: SourceNode, scoreThreshold: number): Value {
  const count = node.input(2).constant ? [numberOf(node, 2)] : null;
  return node.graph.add(
    ops.NonMaxSuppression,
    { boxes: node.input(0), scores: node.input(1), ...(count === null && { count: node.input(2) }) },
    { iouThreshold: numberOf(node, 3), scoreThreshold, count },
    node.step('selected'),
  ).indices;
}

/** Values in a list of a stated length that is filled up with zeros. */
function filledUp(node: SourceNode, values: Value, count: Value, step: string): Value {
  const { graph } = node;
  const place = graph.add(
    ops.Range,
    { start: node.scalar(count, 0), limit: count, delta: node.scalar(count, 1) },
    {},
    node.step(`${step}_places`),
  ).y;
  const indices = graph.add(ops.Unsqueeze, { x: place }, { axes: [1] }, node.step(`${step}_rows`)).y;
  const length = node.input(2).constant ? [numberOf(node, 2)] : undefined;
  if (!length) throw node.unsupported('how long it fills up its result is not a constant');
  const zeros = graph.add(ops.Expand, { x: node.scalar(values, 0) }, { shape: length }, node.step(`${step}_zeros`)).y;
  return graph.add(ops.ScatterND, { x: zeros, indices, updates: values }, { reduction: 'none' }, node.step(`${step}_filled`)).y;
}

/** How many boxes were selected, as a scalar. */
function countOf(node: SourceNode, indices: Value): Value {
  const { graph } = node;
  const shape = graph.add(ops.Shape, { x: indices }, {}, node.step('shape')).y;
  return graph.add(ops.Squeeze, { x: shape }, { axes: [0] }, node.step('count')).y;
}

const readVersion =
  (version: 2 | 3 | 4 | 5): ToCore =>
  (node) => {
    if (version === 5 && numberOf(node, 5) !== 0) throw node.unsupported('it lowers the scores of boxes that overlap (soft_nms_sigma)');
    const indices = selected(node, version === 2 ? -Infinity : numberOf(node, 4));
    if (version < 4) return node.cast(indices, 'int32', 'narrow');
    const count = countOf(node, indices);
    const scores = node.graph.add(ops.Gather, { x: node.input(1), indices }, { axis: 0 }, node.step('scores')).y;
    const isFilled = node.bool('pad_to_max_output_size', false);
    const results = (version === 5 ? [indices, scores] : [indices]).map((values, i) =>
      isFilled ? filledUp(node, values, count, `list${i}`) : values,
    );
    const narrow = (value: Value, step: string) => (value.dtype === 'int64' ? node.cast(value, 'int32', step) : value);
    return [...results.map((value) => narrow(value, 'narrow')), narrow(count, 'narrow_count')];
  };

const toCore = {
  NonMaxSuppressionV2: readVersion(2),
  NonMaxSuppressionV3: readVersion(3),
  NonMaxSuppressionV4: readVersion(4),
  NonMaxSuppressionV5: readVersion(5),
} satisfies ReadRules;

/** The next larger number of 32 bits: TensorFlow.js takes a box off at the threshold, not only above it. */
function above(threshold: number): number {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, threshold === 0 ? 0 : threshold);
  bits.setInt32(0, bits.getInt32(0) + (threshold < 0 ? -1 : 1));
  return bits.getFloat32(0);
}

const fromCore = {
  NonMaxSuppression: (node, writer) => {
    const { boxes, scores, count: operand } = node.operands;
    const { iouThreshold, scoreThreshold, count } = node.attrs;
    const most = count ? writer.size(count[0]!) : writer.step('Reshape', [writer.cast(operand!, 'int32'), writer.ints([])]);
    const limits = [writer.literal('float32', [], [above(iouThreshold)]), writer.literal('float32', [], [scoreThreshold])];
    writer.node('NonMaxSuppressionV3', [boxes, scores, most, ...limits], {}, node.outputs);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators on boxes and regions of images, both directions. */
export const detection = { toCore, fromCore };
