import {
  isFloat,
  isInt,
  ops,
  type DType,
  type Graph,
  type Signature,
  type Value,
} from '@drover/core';
import {
  imageInputs,
  integerRanges,
  intervalOf,
  withSizes,
  type IntegerRanges,
} from '@drover/core/format';

/** Lowest and highest value, inclusive. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** An input to make values for. */
export interface InputSpec {
  readonly name: string;
  readonly dtype: DType;
  /** A free dimension is its symbol, or null; those of one symbol are equal. */
  readonly shape: readonly (number | string | null)[];
  /**
   * Values are drawn from here: ids of a table, places of a sequence, what the caller knows.
   * Without it floats are normal, and integers 0 and 1, which suits masks.
   */
  readonly range?: Bounds | undefined;
  /** Whether values are whole numbers though the type is a float. */
  readonly isWhole?: boolean;
  /** The axis of the channels, for an image. */
  readonly channels?: number | undefined;
}

/** More values than this are no range that says something: a type's whole range, a product. */
const mostValues = 2 ** 31;

/**
 * The inputs as a runtime declares them, with what it leaves open as the model's graph has it. What
 * values the graph admits, `withRanges` tells once there are sizes.
 */
export function inputSpecs(declared: readonly Signature[], graph: Graph): InputSpec[] {
  const first = imageInputs(graph, 'channelsLast');
  const last = imageInputs(graph, 'channelsFirst');
  return declared.map(({ name, dtype: told, shape: toldShape }, i) => {
    const value = graph.inputs.find((input) => input.name === name) ?? graph.inputs[i];
    return {
      name,
      dtype: told ?? value?.dtype ?? 'float32',
      shape: shapeOf(toldShape, value),
      ...(value && first.has(value) && { channels: 1 }),
      ...(value && last.has(value) && { channels: value.rank! - 1 }),
    };
  });
}

/**
 * Inputs with the values that a graph admits for these sizes of its named dimensions: an index is
 * inside the dimension that it is for. A vector of integers that nothing limits, with one for each
 * sequence of a batch, holds their lengths. Ranges that are there already stay.
 */
export function withRanges(
  specs: readonly InputSpec[],
  graph: Graph,
  sizes: ReadonlyMap<string, number>,
): InputSpec[] {
  const sized = withSizes(graph, sizes);
  const ranges = integerRanges(sized);
  return specs.map((spec, i) => {
    if (spec.range) return spec;
    const value = sized.inputs.find(({ name }) => name === spec.name) ?? sized.inputs[i];
    const range = value && (admitted(value, ranges) ?? lengthsOf(value, sized));
    return range ? { ...spec, range, isWhole: isFloat(spec.dtype) } : spec;
  });
}

/** The lengths of sequences that a vector beside them may hold. */
function lengthsOf(vector: Value, { inputs }: Graph): Bounds | undefined {
  if (!isInt(vector.dtype) || vector.rank !== 1) return undefined;
  const sequences = inputs.filter(
    ({ shape }) => shape && shape.length > 1 && shape[0] === vector.shape![0],
  );
  const steps = sequences.flatMap(({ shape }) =>
    typeof shape![1] === 'number' ? [shape![1]] : [],
  );
  return steps.length > 0 ? { low: 1, high: Math.min(...steps) } : undefined;
}

/** The graph's own names of free dimensions, which the runtime may leave out. */
function shapeOf(told: Signature['shape'], value: Value | undefined): InputSpec['shape'] {
  const known = value?.shape?.map((dim) => (typeof dim === 'number' ? dim : dim.key));
  if (!known || (told && told.length !== known.length)) return told ?? [];
  return known.map((dim, axis) => (typeof told?.[axis] === 'number' ? told[axis] : dim));
}

/** The integers that a graph takes for an input, also one of floats that are cast first. */
function admitted(value: Value, ranges: IntegerRanges): Bounds | undefined {
  const users = [...value.users];
  if (isFloat(value.dtype)) {
    if (
      users.length === 0 ||
      !users.every((node) => node.is(ops.Cast) && isInt(node.outputs[0]!.dtype))
    )
      return undefined;
    const bounds = users.map(({ outputs }) => admitted(outputs[0]!, ranges));
    const known = bounds.filter((each) => each !== undefined);
    if (known.length < bounds.length) return undefined;
    return {
      low: Math.max(...known.map(({ low }) => low)),
      high: Math.min(...known.map(({ high }) => high)),
    };
  }
  if (!isInt(value.dtype)) return undefined;
  const [least, most] = intervalOf(value.dtype)!;
  const [low, high] = (ranges.get(value)?.range ?? [least, most]).map(Number) as [number, number];
  if (high - low >= mostValues) return undefined;
  // Runtimes part ways where an index counts from the end: those from the front do.
  const isIndex = low > least || high < most;
  return { low: isIndex && high >= 0 ? Math.max(low, 0) : low, high };
}
