import { integerRanges, type IntegerRanges } from '../analysis/integer-range.js';
import type { Graph } from '../graph/graph.js';
import { byName, type Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { cast } from '../ops/cast.js';
import { clip } from '../ops/clip.js';
import { intRange, isFloat, isInt, type DType } from '../tensor/dtype.js';
import { intervalOf, isWithin, type Interval } from '../tensor/interval.js';
import { roundTo, tensor } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import { definePass } from './define-pass.js';

/** What integers a target holds. */
export interface HeldIntegers {
  /** The values of a type that the target holds. */
  readonly held: (dtype: DType) => Interval | undefined;
  /** The type in which it computes integers. */
  readonly wide: DType;
}

/** What rewriting one node needs. */
interface Context extends HeldIntegers {
  readonly graph: Graph;
  readonly ranges: IntegerRanges;
}

const isOutput = (graph: Graph, value: Value): boolean =>
  graph.outputs.some((output) => output.value === value);

/**
 * Floats are held within bounds before they become integers instead of after: whole bounds stand on
 * either side of truncation. Gives the number of edits.
 */
function clipBeforeCast(node: Node, { graph, ranges, held }: Context): number {
  if (!node.is(cast) || !isFloat(node.operands.x.dtype)) return 0;
  const { x } = node.operands;
  const { y } = node.results;
  const range = ranges.get(y);
  const isBound = (bound: number | null) =>
    bound !== null && roundTo(x.dtype, Float64Array.of(bound))[0] === bound;
  const clips = [...y.users].filter(
    (user): user is Node<typeof clip> =>
      user.is(clip) && isBound(user.attrs.min) && isBound(user.attrs.max),
  );
  if (
    !range ||
    isWithin(range.exact, held(y.dtype)!) ||
    clips.length < y.users.size ||
    isOutput(graph, y)
  )
    return 0;
  for (const user of clips) {
    const inside = graph.add(clip, { x }, user.attrs, { name: user.name, origin: user.origin }).y;
    const old = user.results.y;
    graph.replaceUses(
      old,
      graph.add(cast, { x: inside }, node.attrs, {
        name: node.name,
        origin: node.origin,
        outputs: [old.name],
      }).y,
    );
    graph.remove(user);
  }
  graph.remove(node);
  return clips.length;
}

/** Operators that only move elements to where they bound something. */
const moving = new Set(['Concat', 'Reshape', 'Squeeze', 'Unsqueeze']);

/** So many moves are followed from a constant to what it bounds. */
const maxMoves = 4;

/** Which of its elements a constant has beyond what is held. */
interface Beyond {
  readonly low: boolean;
  readonly high: boolean;
}

/**
 * Whether elements of operand `index` of a node may be held although they are beyond, because no
 * element of another operand is.
 */
function isOnlyBound(
  node: Node,
  index: number,
  beyond: Beyond,
  context: Context,
  moves = maxMoves,
): boolean {
  const { graph, ranges, held } = context;
  const { name } = node.op;
  if (name === 'Slice') return index > 0;
  if (name === 'Min') return !beyond.low;
  if (name === 'Max') return !beyond.high;
  if (moving.has(name)) {
    const [value] = node.outputs;
    const isUsedSo = (user: Node) =>
      user.inputs.every(
        (each, i) => each !== value || isOnlyBound(user, i, beyond, context, moves - 1),
      );
    return moves > 0 && !isOutput(graph, value!) && [...value!.users].every(isUsedSo);
  }
  if (!/^(Less|Greater|Equal)/.test(name)) return false;
  const other = node.inputs[1 - index]!;
  const [least, most] = held(other.dtype)!;
  const range = ranges.get(other)?.range;
  return range !== undefined && range[0] > least && range[1] < most;
}

/**
 * Constants beyond what is held that only bound what is held, such as the end of a slice, become
 * the nearest that is held.
 */
function holdBounds(node: Node, context: Context): number {
  let edits = 0;
  node.inputs.forEach((value, index) => {
    const range = value?.constant && isInt(value.dtype) ? context.held(value.dtype) : undefined;
    const elements = range && value!.constant!.peek()?.data;
    if (!range || !elements) return;
    const integers = Array.from(elements as ArrayLike<number | bigint>, BigInt);
    const beyond = {
      low: integers.some((each) => each < range[0]),
      high: integers.some((each) => each > range[1]),
    };
    if (!(beyond.low || beyond.high) || !isOnlyBound(node, index, beyond, context)) return;
    const nearest = integers.map((each) =>
      each < range[0] ? range[0] : each > range[1] ? range[1] : each,
    );
    const { dtype, constant } = value!;
    const weight = Weight.computed(tensor(dtype, constant!.shape, nearest), 'Clip', [constant!]);
    context.graph.setInput(node, index, context.graph.constant(weight, value!.name, value!.origin));
    edits++;
  });
  return edits;
}

/** A bound of Clip that no value that is held is beyond goes. */
function openClip(node: Node, { held }: Context): number {
  const range = node.is(clip) ? held(node.operands.x.dtype) : undefined;
  if (!range || !node.is(clip)) return 0;
  const { min, max } = node.attrs;
  const open = {
    min: min !== null && min < range[0] ? null : min,
    max: max !== null && max > range[1] ? null : max,
  };
  if (open.min === min && open.max === max) return 0;
  node.attrs = open;
  return 1;
}

/**
 * Floats become integers of a narrow type through the type of the target: what does not fit wraps
 * on the way from there.
 */
function castThroughWide(node: Node, { graph, ranges, wide }: Context): number {
  if (!node.is(cast) || !isFloat(node.operands.x.dtype) || !isInt(node.attrs.to)) return 0;
  const [whole, all] = [intRange(wide)!, intRange(node.attrs.to)!];
  const range = ranges.get(node.operands.x)?.range;
  if ((range && isWithin(range, all)) || node.attrs.to === wide || !isWithin(all, whole)) return 0;
  const { name, origin } = node;
  const integers = graph.add(
    cast,
    { x: node.operands.x },
    { to: wide },
    { name: `${name}/${wide}`, origin },
  ).y;
  graph.setInput(node, 0, integers);
  return 1;
}

/**
 * Arithmetic that wraps in a narrow type is done in the type of the target, where it does not, and
 * is cast back, which wraps.
 */
function widen(node: Node, { graph, ranges, wide }: Context): number {
  const [result, ...others] = node.outputs;
  const range = result && ranges.get(result);
  const whole = intRange(wide)!;
  if (!range || others.length > 0 || !isInt(result.dtype) || node.op.name === 'Cast') return 0;
  if (
    !isWithin(intervalOf(result.dtype)!, whole) ||
    isWithin(range.exact, intervalOf(result.dtype)!) ||
    !isWithin(range.exact, whole)
  )
    return 0;
  const operands = Object.values(node.op.inputs);
  if (
    !operands.every(({ dtypes }) => dtypes.includes(wide)) ||
    node.inputs.some((value) => value?.dtype !== result.dtype)
  )
    return 0;
  const { name, origin } = node;
  const inputs = node.inputs.map(
    (x) => graph.add(cast, { x: x! }, { to: wide }, { name: `${name}/${wide}`, origin }).y,
  );
  const wider = graph.add(node.op, byName(node.op.inputs, inputs) as never, node.attrs, {
    name,
    origin,
  });
  const [wrapping] = Object.values(wider) as Value[];
  const narrow = graph.add(
    cast,
    { x: wrapping! },
    { to: result.dtype },
    { name, origin, outputs: [result.name] },
  ).y;
  graph.replaceUses(result, narrow);
  graph.remove(node);
  return 1;
}

/**
 * Rewrites what would leave the integers that a target holds where that can be kept from happening:
 * floats are clipped before they become integers, bounds beyond every value become the nearest that
 * is held or go, and arithmetic that wraps in a narrow type wraps in a cast.
 *
 *     %i = Cast(%x) {to: "int64"}; %y = Clip(%i) {min: 0, max: 9}
 *     %f = Clip(%x) {min: 0, max: 9}; %y = Cast(%f) {to: "int64"}
 */
export const fitIntegers = definePass<HeldIntegers>(
  'fit-integers',
  ['layout', 'composites'],
  (graph, { held, wide }) => {
    const context: Context = { graph, ranges: integerRanges(graph, held), held, wide };
    let edits = 0;
    for (const node of graph.sorted()) {
      edits += holdBounds(node, context) + openClip(node, context);
      edits +=
        clipBeforeCast(node, context) || castThroughWide(node, context) || widen(node, context);
    }
    return edits;
  },
);
