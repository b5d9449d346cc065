import { toNumbers, type Dim, type Value } from '@drover/core';
import { axisOf } from '../vocabulary/axis.js';
import { Compose, shapeOf } from '../vocabulary/compose.js';
import { always, foreign, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import { Collected, Collecting, Sequence } from '../vocabulary/sequence.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/**
 * A place in a sequence: from the end where negative. Throws `core/foreign-op` when it depends on
 * data, `onnx/graph` when there is no such place.
 */
function place(node: SourceNode, index: number, length: number, otherwise: number): number {
  if (!node.optional(index)) return otherwise;
  const stated = Number(node.constant(index).data[0]);
  const at = stated < 0 ? stated + length : stated;
  if (at >= 0 && at <= length) return at;
  throw node.malformed(`position ${stated} is not in its sequence of ${length}`);
}

/** A sequence is written out tensor by tensor. */
const maxParts = 4096;

const readSplitToSequence: ToCore = (node) => {
  const x = node.input(0);
  const shape = shapeOf(node, x);
  const axis = axisOf(node, node.int('axis', 0), x.rank);
  const whole = shape[axis];
  const keepdims = node.int('keepdims', 1) === 1;
  const stated = node.optional(1);
  const compose = new Compose(node);
  if (stated?.rank === 1) {
    const sizes: readonly Dim[] = stated.elements ?? Array.from(toNumbers(node.constant(1)));
    return new Sequence(compose.split(x, axis, sizes));
  }
  if (typeof whole !== 'number') throw node.unsupported('the size it splits is not known');
  const part = stated ? Number(node.constant(1).data[0]) : 1;
  if (part <= 0) throw node.malformed(`it splits into parts of ${part}`);
  const count = Math.ceil(whole / part);
  if (count > maxParts)
    throw node.unsupported(
      `it splits into ${count} parts, and at most ${maxParts} are written out`,
    );
  const parts = compose.split(
    x,
    axis,
    Array.from({ length: count }, (_, i) => Math.min(part, whole - i * part)),
  );
  return new Sequence(
    stated || keepdims
      ? parts
      : parts.map((each, i) => compose.squeeze(each, [axis], `squeeze${i}`)),
  );
};

/**
 * What a loop collected, joined: the number of its trips is a new axis, or goes into the one along
 * which the parts are joined.
 */
function readCollected(node: SourceNode, { stack }: Collected): Value {
  const compose = new Compose(node);
  const shape = shapeOf(node, stack);
  const isNew = node.int('new_axis', 0) === 1;
  const axis = axisOf(node, node.int('axis'), isNew ? shape.length : shape.length - 1);
  const order = [
    ...shape.map((_, i) => i).slice(1, axis + 1),
    0,
    ...shape.map((_, i) => i).slice(axis + 1),
  ];
  const moved =
    axis === 0 ? stack : compose.transpose(stack, order, isNew ? undefined : 'transpose');
  if (isNew) return moved;
  // How many trips there are is known when the model runs; the joined axis is what the other sizes
  // leave.
  const sizes = order.map((from) => shape[from]!);
  return compose.reshape(moved, [...sizes.slice(0, axis), -1, ...sizes.slice(axis + 2)]);
}

const readConcat: ToCore = (node) => {
  const given = node.operand(0);
  if (given instanceof Collected) return readCollected(node, given);
  const { elements } = node.sequence(0);
  const [first] = elements;
  if (!first) throw node.unsupported('its sequence is empty');
  const compose = new Compose(node);
  const isNew = node.int('new_axis', 0) === 1;
  const rank = first.rank === undefined ? undefined : first.rank + Number(isNew);
  const axis = axisOf(node, node.int('axis'), rank);
  return compose.concat(
    isNew ? elements.map((each, i) => compose.unsqueeze(each, [axis], `unsqueeze${i}`)) : elements,
    axis,
  );
};

const without = (elements: readonly Value[], at: number) => elements.filter((_, i) => i !== at);

/**
 * Sequences, which are settled while a model is read: their lengths and the positions in them must
 * not depend on data, unless a loop collects them.
 */
export const sequence = {
  toCore: {
    ConcatFromSequence: always(readConcat),
    SequenceAt: always((node) => {
      const given = node.operand(0);
      if (given instanceof Collected)
        return new Compose(node).gather(given.stack, node.input(1), 0);
      const { elements } = node.sequence(0);
      const element = elements[place(node, 1, elements.length, 0)];
      if (element) return element;
      throw node.malformed(`its sequence ends after ${elements.length}`);
    }),
    SequenceConstruct: always((node) => new Sequence(node.inputs())),
    SequenceEmpty: always((node) => {
      node.ignore('dtype');
      return new Sequence([]);
    }),
    SequenceErase: always((node) => {
      const { elements } = node.sequence(0);
      return new Sequence(without(elements, place(node, 1, elements.length, elements.length - 1)));
    }),
    SequenceInsert: always((node) => {
      const given = node.operand(0);
      if (given instanceof Collecting) {
        if (node.optional(2))
          throw node.unsupported('it puts a tensor at a place of a sequence that a loop collects');
        return new Collecting([...given.elements, node.input(1)]);
      }
      const { elements } = node.sequence(0);
      const at = place(node, 2, elements.length, elements.length);
      return new Sequence([...elements.slice(0, at), node.input(1), ...elements.slice(at)]);
    }),
    SequenceLength: always((node) => {
      const given = node.operand(0);
      if (given instanceof Collected) return new Compose(node).size(given.stack, 0, 'length');
      return node.graph.literal(
        'int64',
        [],
        [node.sequence(0).elements.length],
        node.outputName(0),
      );
    }),
    SequenceMap: foreign('it maps a body over a sequence'),
    SplitToSequence: always(readSplitToSequence),
  } satisfies ReadRules,
};
