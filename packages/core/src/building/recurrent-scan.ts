import { Graph, isDataDependent } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { add } from '../ops/add.js';
import { cast } from '../ops/cast.js';
import { clip } from '../ops/clip.js';
import { concat } from '../ops/concat.js';
import { expand } from '../ops/expand.js';
import { gather } from '../ops/gather.js';
import { less } from '../ops/less.js';
import { matMul } from '../ops/mat-mul.js';
import { reverseSequence } from '../ops/reverse-sequence.js';
import { scan } from '../ops/scan.js';
import { shape as shapeOp } from '../ops/shape.js';
import { slice } from '../ops/slice.js';
import { squeeze } from '../ops/squeeze.js';
import { transpose } from '../ops/transpose.js';
import { unsqueeze } from '../ops/unsqueeze.js';
import { where } from '../ops/where.js';
import {
  activationsOf,
  directions,
  type Recurrence,
  type RecurrentOperands,
} from '../typing/recurrence.js';
import { buildActivation } from './activation.js';
import { scalar } from './scalar.js';

/** What a step of one direction is built from, in the body of a Scan. */
interface StepValues {
  readonly graph: Graph;
  /** W x and the biases that can be added to it, for all gates [batch, gates * hidden size]. */
  readonly input: Value;
  /** States [batch, hidden size]: hidden, and cell where there is one. */
  readonly states: readonly Value[];
  /**
   * Columns [hidden size, gates * hidden size] of R transposed that belong to `count` gates from
   * `first` on.
   */
  recurrent(first: number, count: number): Value;
  /**
   * The recurrent biases of `count` gates from `first` on [count * hidden size], where they are not
   * in `input`; undefined where there are none.
   */
  bias(first: number, count: number): Value | undefined;
  /** Peephole k [hidden size]. */
  peephole(k: number): Value | undefined;
  /** Activation k of the direction. */
  activate(k: number, value: Value): Value;
  /** A value bounded by the clip. */
  clip(value: Value): Value;
}

/** What distinguishes one recurrent operator from another. */
export interface RecurrentCell {
  readonly gates: number;
  readonly hasCell: boolean;
  /** Whether recurrent biases are added within the step. */
  readonly hasInnerBias: boolean;
  /** Builds a step and gives the next states. */
  step(values: StepValues): readonly Value[];
}

/** `size` slices from `start` on along an axis: of a constant without reading it. */
function cut(graph: Graph, value: Value, axis: number, start: number, size: number): Value {
  if (value.shape?.[axis] === size) return value;
  if (value.constant) return graph.constant(value.constant.slice(axis, start, size), value.name);
  return graph.add(
    slice,
    { x: value },
    { axes: [axis], starts: [start], ends: [start + size], steps: [1] },
  ).y;
}

/** The part of a parameter that belongs to a direction, without its first axis. */
function ofDirection(graph: Graph, value: Value, d: number): Value {
  const part = cut(graph, value, 0, d, 1);
  if (part.constant)
    return graph.constant(part.constant.reshape(part.constant.shape.slice(1)), value.name);
  return graph.add(squeeze, { x: part }, { axes: [0] }).y;
}

function transposed(graph: Graph, value: Value): Value {
  if (value.constant) return graph.constant(value.constant.transpose([1, 0]), value.name);
  return graph.add(transpose, { x: value }, { perm: [1, 0] }).y;
}

/** Zeros [batch, size] for the batch of `x` [time, batch, features]. */
function zeroState(graph: Graph, x: Value, size: number): Value {
  const [batch, zero] = [x.shape?.[1], scalar(graph, x.dtype, 0)];
  if (batch !== undefined && !isDataDependent(batch))
    return graph.add(expand, { x: zero }, { shape: [batch, size] }).y;
  const dims = graph.add(shapeOp, { x }, {}).y;
  const [index, rest] = [graph.literal('int64', [1], [1]), graph.literal('int64', [1], [size])];
  const shape = graph.add(
    concat,
    { inputs: [graph.add(gather, { x: dims, indices: index }, { axis: 0 }).y, rest] },
    { axis: 0 },
  ).y;
  return graph.add(expand, { x: zero, shape }, { shape: null }).y;
}

/**
 * The input of all gates of a direction, with the biases that do not go into the step: those of the
 * input, then those of the state, so that each stays what it is in the source.
 */
function projected(
  graph: Graph,
  x: Value,
  w: Value,
  b: Value | undefined,
  { gates, hasInnerBias }: RecurrentCell,
  size: number,
): Value {
  const product = graph.add(matMul, { a: x, b: transposed(graph, w) }, {}).y;
  if (!b) return product;
  const bias = (start: number) => cut(graph, b, 0, start, gates * size);
  const sum = graph.add(add, { a: product, b: bias(0) }, {}).y;
  return hasInnerBias ? sum : graph.add(add, { a: sum, b: bias(gates * size) }, {}).y;
}

/** The body of the Scan of a direction. */
function buildBody(
  outer: Graph,
  values: RecurrentOperands<Value>,
  attrs: Recurrence,
  cell: RecurrentCell,
  d: number,
  input: Value,
  lengths: Value | undefined,
): Graph {
  const { hiddenSize: size, clip: bound } = attrs;
  const [graph, dtype] = [new Graph('step', outer), values.x.dtype];
  const batch = input.shape?.[1];
  const sliceShape = batch === undefined ? undefined : [batch, cell.gates * size];
  const stateShape = batch === undefined ? undefined : [batch, size];
  const states = (cell.hasCell ? ['h', 'c'] : ['h']).map((name) =>
    graph.input(name, dtype, stateShape),
  );
  const trip = lengths && graph.input('t', 'int64', []);
  const slices = graph.input('x', dtype, sliceShape);
  const { r, b, peepholes } = values;
  const part = (value: Value, start: number, count: number) =>
    cut(outer, ofDirection(outer, value, d), 0, start * size, count * size);
  const functions = activationsOf(attrs).slice((d * attrs.activations.length) / directions(attrs));
  const next = cell.step({
    graph,
    input: slices,
    states,
    recurrent: (first, count) => graph.capture(transposed(outer, part(r, first, count))),
    bias: (first, count) => b && graph.capture(part(b, cell.gates + first, count)),
    peephole: (k) => peepholes && graph.capture(part(peepholes, k, 1)),
    activate: (k, value) => buildActivation(graph, functions[k]!, value),
    clip: (value) =>
      bound === null ? value : graph.add(clip, { x: value }, { min: -bound, max: bound }).y,
  });
  if (!trip) {
    [...next, next[0]!].forEach((value, i) => graph.output(`${i}`, value));
    return graph;
  }
  const runs = graph.add(
    unsqueeze,
    { x: graph.add(less, { a: trip, b: graph.capture(lengths) }, {}).y },
    { axes: [1] },
  ).y;
  const kept = next.map(
    (value, i) => graph.add(where, { condition: runs, x: value, y: states[i]! }, {}).y,
  );
  const y = graph.add(where, { condition: runs, x: next[0]!, y: scalar(graph, dtype, 0) }, {}).y;
  const following = graph.add(add, { a: trip, b: scalar(graph, 'int64', 1) }, {}).y;
  [...kept, following, y].forEach((value, i) => graph.output(`${i}`, value));
  return graph;
}

/**
 * A recurrent operator as one Scan per direction. With lengths, a step counter leaves the states of
 * sequences that have ended as they are, and the reverse direction runs over sequences reversed
 * within their lengths.
 */
export function buildRecurrence(
  values: RecurrentOperands<Value>,
  attrs: Recurrence,
  graph: Graph,
  cell: RecurrentCell,
): { y: Value; yH: Value; yC: Value } {
  const { x, initialH, initialC } = values;
  const given = values.sequenceLengths;
  const lengths =
    given?.dtype === 'int32' ? graph.add(cast, { x: given }, { to: 'int64' }).y : given;
  const initial = cell.hasCell ? [initialH, initialC] : [initialH];
  const results = Array.from({ length: directions(attrs) }, (_, d): Value[] => {
    const reverse = d === 1 || attrs.direction === 'reverse';
    const turned = (value: Value) =>
      reverse && lengths
        ? graph.add(reverseSequence, { x: value, lengths }, { timeAxis: 0, batchAxis: 1 }).y
        : value;
    const b = values.b && ofDirection(graph, values.b, d);
    const input = projected(
      graph,
      turned(x),
      ofDirection(graph, values.w, d),
      b,
      cell,
      attrs.hiddenSize,
    );
    const states = initial.map((state) =>
      state ? ofDirection(graph, state, d) : zeroState(graph, x, attrs.hiddenSize),
    );
    if (lengths) states.push(scalar(graph, 'int64', 0));
    const backwards = reverse && !lengths;
    const body = buildBody(graph, values, attrs, cell, d, input, lengths);
    const { outputs } = graph.add(
      scan,
      { inputs: [...states, input] },
      {
        states: states.length,
        inputAxes: [0],
        inputReverse: [backwards],
        outputAxes: [0],
        outputReverse: [backwards],
      },
      { regions: { body: body.region() } },
    );
    const last = outputs
      .slice(0, initial.length)
      .map((state) => graph.add(unsqueeze, { x: state }, { axes: [0] }).y);
    return [graph.add(unsqueeze, { x: turned(outputs.at(-1)!) }, { axes: [1] }).y, ...last];
  });
  const [y, yH, yC] = results[0]!.map((first, i) =>
    results.length === 1
      ? first
      : graph.add(concat, { inputs: results.map((parts) => parts[i]!) }, { axis: i === 0 ? 1 : 0 })
          .y,
  );
  return { y: y!, yH: yH!, yC: yC ?? yH! };
}
