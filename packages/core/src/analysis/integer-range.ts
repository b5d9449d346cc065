import type { Graph } from '../graph/graph.js';
import { byName, flatten, type Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import type { Attrs, AttrValues } from '../ops/attr.js';
import type { Operands, PerOperand, RegionName } from '../ops/define-op.js';
import type { ValueType } from '../tensor/value-type.js';
import { add } from '../ops/add.js';
import { ifElse } from '../ops/if.js';
import { loop } from '../ops/loop.js';
import { scan } from '../ops/scan.js';
import {
  corners,
  dimInterval,
  hull,
  intervalOf,
  isWithin,
  least,
  maxSize,
  meet,
  most,
  placesIn,
  sizeInterval,
  spanning,
  type Interval,
} from '../tensor/interval.js';
import { dimKey } from '../tensor/dim.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { roundTo } from '../tensor/tensor.js';
import type { Weight } from '../tensor/weight.js';

/** What is known of the values of one tensor. */
export interface ValueRange {
  /** What its arithmetic gives from operands within theirs, before it wraps. */
  readonly exact: Interval;
  /**
   * Its elements, as far as they fit the type that holds them: what other values are told to rest
   * on.
   */
  readonly range: Interval;
}

/**
 * Ranges of the integers and bools of a graph and its bodies, of their constants, and of floats
 * that come of them.
 */
export type IntegerRanges = ReadonlyMap<Value, ValueRange>;

/** Rounds of a loop's body before what still grows may be anything. */
const maxRounds = 3;

/**
 * Graphs that lie this deep and deeper are followed once, whatever their loops carry: each level
 * multiplies the work.
 */
const maxDepth = 3;

/** Results of a node, of graph inputs and of constants, found from those before. */
class Analysis {
  readonly ranges = new Map<Value, ValueRange>();
  /** Bounds that values keep because something that they feed fails otherwise. */
  readonly #demands = new Map<Value, Interval>();
  readonly #constants = new Map<Weight, Interval | undefined>();
  /** How many graphs are being followed, one within the other. */
  #depth = 0;

  /** Dimensions of tensors, which no tensor has without being able to hold them. */
  readonly #sizes = new Set<string>();

  constructor(
    /** Values that can be held of a type. */
    readonly held: (dtype: DType) => Interval | undefined,
  ) {}

  /**
   * Follows a graph from the ranges of its inputs; those that are not given may be anything that
   * can be held. Gives the ranges of the outputs.
   */
  graph(graph: Graph, given: readonly (Interval | undefined)[]): (Interval | undefined)[] {
    const order = graph.sorted();
    const values = [...graph.inputs, ...order.flatMap(({ outputs }) => outputs)];
    for (const value of values) for (const dim of value.shape ?? []) this.#sizes.add(dimKey(dim));
    const follow = () => {
      graph.inputs.forEach((input, i) => this.#settle(input, given[i] ?? this.held(input.dtype)));
      for (const node of order) {
        const results = this.#results(node);
        node.outputs.forEach((value, i) => this.#settle(value, results[i]));
      }
    };
    this.#depth++;
    // What was demanded for other ranges of the inputs may not hold for these.
    for (const value of values) this.#demands.delete(value);
    follow();
    if (this.#depth < maxDepth) {
      for (const node of [...order].reverse()) this.#demand(node);
      if (values.some((value) => this.#demands.has(value))) follow();
    }
    this.#depth--;
    return graph.outputs.map(({ value }) => this.#of(value));
  }

  #of(value: Value): Interval | undefined {
    if (value.constant && !this.ranges.has(value)) {
      const range = this.#constant(value.constant);
      if (range) this.ranges.set(value, { exact: range, range });
    }
    return this.ranges.get(value)?.range;
  }

  #demand(node: Node): void {
    if (!node.op.demands) return;
    const types = byName(
      node.op.inputs,
      node.inputs.map((value) => value?.type),
    ) as PerOperand<Operands, ValueType>;
    const results = byName(
      node.op.outputs,
      node.outputs.map((value) => this.#demands.get(value)),
    ) as PerOperand<Operands, Interval | undefined>;
    const ranges = byName(
      node.op.inputs,
      node.inputs.map((value) => value && this.#of(value)),
    ) as PerOperand<Operands, Interval | undefined>;
    const demands = flatten<Interval>(
      node.op.inputs,
      node.op.demands(types, node.attrs as AttrValues<Attrs>, results, ranges),
    );
    node.inputs.forEach((value, i) => {
      const demand = demands[i];
      const all = value && intervalOf(value.dtype);
      // An inverse that leaves the type could have wrapped.
      if (!demand || !all || !isWithin(demand, all)) return;
      const known = this.#demands.get(value);
      this.#demands.set(value, (known && meet(known, demand)) ?? demand);
    });
  }

  /**
   * States the range of a value: what can be held of what its arithmetic gives, and of what it
   * keeps.
   */
  #settle(value: Value, made: Interval | undefined): void {
    const { dtype, elements } = value;
    const all = intervalOf(dtype);
    if (!all) {
      if (made && isFloat(dtype)) this.#settleFloat(value, made);
      return;
    }
    const known =
      elements &&
      hull(
        ...elements.map((dim) =>
          this.#sizes.has(dimKey(dim)) ? sizeInterval(dim) : dimInterval(dim),
        ),
      );
    const demand = this.#demands.get(value);
    let exact = made ?? all;
    // What may wrap in the source may become anything; what does not is where all that is known of
    // it meets.
    if (known) exact = meet(exact, known) ?? known;
    if (demand && isWithin(exact, all)) exact = meet(exact, demand) ?? exact;
    const held = this.held(dtype) ?? all;
    this.ranges.set(value, { exact, range: (isWithin(exact, all) && meet(exact, held)) || held });
  }

  #settleFloat(value: Value, made: Interval): void {
    const rounded = roundTo(value.dtype, Float64Array.from(made, Number));
    if (!rounded.every(Number.isFinite)) return;
    const range = spanning(...made, ...Array.from(rounded, BigInt));
    this.ranges.set(value, { exact: range, range });
  }

  /** The range of the elements of a constant, where they are in memory. */
  #constant(weight: Weight): Interval | undefined {
    if (!this.#constants.has(weight)) this.#constants.set(weight, this.#scanned(weight));
    return this.#constants.get(weight);
  }

  #scanned(weight: Weight): Interval | undefined {
    const all = this.held(weight.dtype);
    const data = all || isFloat(weight.dtype) ? weight.peek()?.data : undefined;
    if (!data || data.length === 0) return all;
    let [low, high] = [data[0]!, data[0]!] as [number | bigint, number | bigint];
    for (const each of data as Iterable<number | bigint>) {
      if (typeof each === 'number' && !Number.isFinite(each)) return undefined;
      if (each < low) low = each;
      if (each > high) high = each;
    }
    return typeof low === 'bigint'
      ? [low, BigInt(high)]
      : [BigInt(Math.floor(low)), BigInt(Math.ceil(Number(high)))];
  }

  /** What the arithmetic of a node gives. */
  #results(node: Node): (Interval | undefined)[] {
    const given = node.inputs.map((value) => value && this.#of(value));
    if (node.is(ifElse)) return this.#either(node);
    if (node.is(loop)) {
      // A loop of more trips than 32 bits count does not end while anyone waits.
      const last = most(least(given[0]?.[1] ?? maxSize, maxSize) - 1n, 0n);
      return this.#repeated(node, {
        first: [
          [0n, last],
          [0n, 1n],
        ],
        initial: given.slice(2),
        last: [],
        skipped: 1,
        before: last,
      });
    }
    if (node.is(scan)) {
      const { states, inputAxes } = node.attrs;
      const [, last] = placesIn(node.inputs[states]!.shape?.[inputAxes[0]!]);
      return this.#repeated(node, {
        first: [],
        initial: given.slice(0, states),
        last: given.slice(states),
        skipped: 0,
        before: last,
      });
    }
    if (!node.op.range) return [];
    const types = byName(
      node.op.inputs,
      node.inputs.map((value) => value?.type),
    ) as PerOperand<Operands, ValueType>;
    const ranges = byName(node.op.inputs, given) as PerOperand<Operands, Interval | undefined>;
    return flatten<Interval>(
      node.op.outputs,
      node.op.range(ranges, node.attrs as AttrValues<Attrs>, types),
    );
  }

  #captured(node: Node, body: RegionName): (Interval | undefined)[] {
    return node.regions[body]!.captures.map((value) => this.#of(value));
  }

  #either(node: Node): (Interval | undefined)[] {
    const [yes, no] = (['then', 'else'] as const).map((body) =>
      this.graph(node.regions[body]!.graph, this.#captured(node, body)),
    );
    return yes!.map((range, i) => hull(range, no![i]));
  }

  /**
   * Results of a repeated body. What it makes of the carried values joins them until nothing is
   * added. What still grows then may be anything that can be held, unless every trip adds to it:
   * then it is as far from its start as the trips before allow.
   */
  #repeated(
    node: Node,
    { first, initial, last, skipped, before }: Repetition,
  ): (Interval | undefined)[] {
    const { graph } = node.regions['body']!;
    const run = (carried: readonly (Interval | undefined)[]) =>
      this.graph(graph, [...first, ...carried, ...last, ...this.#captured(node, 'body')]).slice(
        skipped,
      );
    const widest = (i: number) => this.held(graph.outputs[skipped + i]!.value.dtype);
    if (this.#depth >= maxDepth) {
      const any = initial.map((_, i) => widest(i));
      return [...any, ...run(any).slice(initial.length)];
    }
    let carried = [...initial];
    for (let round = 0; ; round++) {
      const outputs = run(carried);
      const joined = carried.map((range, i) => hull(range, outputs[i]));
      const grows = joined.map(
        (range, i) => range !== carried[i] && !(range && carried[i] && isWithin(range, carried[i])),
      );
      if (!grows.includes(true)) break;
      carried = joined.map((range, i) => (grows[i] && round >= maxRounds ? widest(i) : range));
    }
    const counted = carried.map((range, i) => {
      const step = this.#step(graph.inputs[first.length + i]!, graph.outputs[skipped + i]!.value);
      const away = step && corners(hull(step, [0n, 0n]), [0n, before], (x, n) => x * n);
      const reached = corners(initial[i], away, (x, y) => x + y);
      return range && reached && isWithin(reached, range) ? reached : range;
    });
    const outputs = run(counted);
    return counted.map((range, i) => hull(range, outputs[i])).concat(outputs.slice(carried.length));
  }

  /** What a trip adds to a carried value, where it adds something. */
  #step(parameter: Value, result: Value): Interval | undefined {
    const { producer } = result;
    if (!producer?.is(add) || !producer.inputs.includes(parameter)) return undefined;
    return this.#of(producer.inputs[producer.inputs[0] === parameter ? 1 : 0]!);
  }
}

/**
 * A body that is repeated: the ranges of its parameters before, among and behind the carried ones,
 * and how its results and trips count.
 */
interface Repetition {
  readonly first: readonly Interval[];
  readonly initial: readonly (Interval | undefined)[];
  readonly last: readonly (Interval | undefined)[];
  /** Results before the carried ones, which are none of the node's. */
  readonly skipped: number;
  /** Trips before the last one, at most. */
  readonly before: bigint;
}

/**
 * Ranges of the integers of a graph by interval arithmetic over the operators' own rules. `held`
 * gives the values of a type that can be held, as a target holds fewer than the type has: inputs,
 * constants that are not in memory and what comes after arithmetic that may leave them are taken to
 * be among those. A value whose `exact` leaves them is where a model may do so.
 */
export function integerRanges(
  graph: Graph,
  held: (dtype: DType) => Interval | undefined = intervalOf,
): IntegerRanges {
  const analysis = new Analysis(held);
  analysis.graph(graph, []);
  return analysis.ranges;
}
