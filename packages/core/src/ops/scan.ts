import { checkParameter, invalidBody } from '../constraints/body.js';
import { couldEqual } from '../constraints/same-type.js';
import { Graph, knownShape } from '../graph/graph.js';
import { inlineGraph } from '../graph/inline.js';
import type { Value } from '../graph/value.js';
import { sliceAt, stack } from '../numeric/stack.js';
import type { Dim } from '../tensor/dim.js';
import { dtypes } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ValueType } from '../tensor/value-type.js';
import { bodyResults, joinTypes } from '../typing/body.js';
import { bool, int, ints, listOf } from './attr.js';
import { defineOp, many } from './define-op.js';
import { gather } from './gather.js';
import { fixed } from './layout.js';
import { loop } from './loop.js';
import { reverse } from './reverse.js';
import { exact } from './rounding.js';
import { shape as shapeOp } from './shape.js';
import { transpose } from './transpose.js';

/** The length of the scanned axes: a number if one of them is known. */
function length(scanned: readonly ValueType[], axes: readonly number[]): Dim | undefined {
  const lengths = scanned
    .map(({ shape }, i) => shape?.[axes[i]!])
    .filter((dim) => dim !== undefined);
  return lengths.find((dim) => typeof dim === 'number') ?? lengths[0];
}

/**
 * A body run for each slice of the scanned inputs, as ONNX Scan-21. The operands are `states`
 * initial states and then the scanned inputs, each cut along its entry of `inputAxes`, from the
 * last slice to the first where `inputReverse`. The body takes the states and a slice of each and
 * gives the next states and any number of values. The results are the last states, then each of
 * those values stacked along its entry of `outputAxes` (an axis of the result), the first at the
 * end where `outputReverse`.
 */
export const scan = defineOp({
  name: 'Scan',
  summary:
    'Runs a body for each slice of some tensors, carrying states and stacking what it yields.',
  inputs: { inputs: many(...dtypes) },
  outputs: { outputs: many(...dtypes) },
  attrs: {
    states: int(),
    inputAxes: ints(),
    inputReverse: listOf(bool()),
    outputAxes: ints(),
    outputReverse: listOf(bool()),
  },
  regions: ['body'],
  constraints: {
    C1: {
      says: 'operands are the states and at least one scanned input',
      holds: ({ inputs }, { states, inputAxes }) =>
        states >= 0 && inputAxes.length > 0 && inputs.length === states + inputAxes.length,
    },
    C2: {
      says: 'each scanned input and output has an axis and a direction, the axes below its rank',
      holds: ({ inputs }, { states, inputAxes, inputReverse, outputAxes, outputReverse }) =>
        inputReverse.length === inputAxes.length &&
        outputReverse.length === outputAxes.length &&
        outputAxes.every((axis) => axis >= 0) &&
        inputAxes.every(
          (axis, i) => axis >= 0 && axis < (inputs[states + i]!.shape?.length ?? Infinity),
        ),
    },
    C3: {
      says: 'the scanned axes have one length',
      holds: ({ inputs }, { states, inputAxes }) => {
        const scanned = inputs.slice(states);
        return scanned.every(
          ({ shape }, i) => !shape || couldEqual(shape[inputAxes[i]!], length(scanned, inputAxes)),
        );
      },
    },
  },
  infer: ({ inputs }, { states, inputAxes, outputAxes }, { regions, fresh }) => {
    const body = regions['body'] ?? invalidBody('Scan', 'it is missing.');
    const unknown = () => fresh('scan');
    const scanned = inputs.slice(states);
    const slices = scanned.map(({ dtype, shape }, i): ValueType => ({
      dtype,
      shape: shape?.filter((_, axis) => axis !== inputAxes[i]),
    }));
    const parameters = [...inputs.slice(0, states), ...slices];
    parameters.forEach((type, i) => checkParameter('Scan', body.inputs[i], type));
    const results = bodyResults(body, parameters.length, parameters, unknown);
    if (results.length !== states + outputAxes.length)
      invalidBody(
        'Scan',
        `it has ${results.length} results for ${states} states and ${outputAxes.length} outputs.`,
      );
    const outputs = results.map((type, i): ValueType => {
      if (i < states) {
        checkParameter('Scan', body.inputs[i], type);
        return joinTypes(inputs[i]!, type, unknown);
      }
      const axis = outputAxes[i - states]!;
      if (type.shape && axis > type.shape.length)
        invalidBody('Scan', `output ${i - states} has no axis ${axis}.`);
      return {
        dtype: type.dtype,
        shape: type.shape && [
          ...type.shape.slice(0, axis),
          length(scanned, inputAxes) ?? unknown(),
          ...type.shape.slice(axis),
        ],
      };
    });
    return { outputs };
  },
  evaluate: async (
    { inputs },
    { states, inputAxes, inputReverse, outputAxes, outputReverse },
    { run, results },
  ) => {
    const scanned = inputs.slice(states);
    const steps = scanned[0]!.shape[inputAxes[0]!]!;
    let state: readonly Tensor[] = inputs.slice(0, states);
    const stacks = outputAxes.map((): Tensor[] => []);
    for (let step = 0; step < steps; step++) {
      const slices = scanned.map((from, i) =>
        sliceAt(from, inputAxes[i]!, inputReverse[i] ? steps - 1 - step : step),
      );
      const values = await run('body', [...state, ...slices]);
      state = values.slice(0, states);
      values.slice(states).forEach((value, i) => stacks[i]!.push(value));
    }
    const types = results('body').slice(states);
    return {
      outputs: [
        ...state,
        ...stacks.map((slices, i) =>
          stack(outputReverse[i] ? slices.reverse() : slices, outputAxes[i]!, types[i]!),
        ),
      ],
    };
  },
  layout: fixed('the body takes and gives its values as they are'),
  rounding: exact,
  examples: [],
  decompose: (
    { inputs },
    { states, inputAxes, inputReverse, outputAxes, outputReverse },
    graph,
    regions,
  ) => {
    const { graph: step, captures } = regions['body']!;
    const scanned = inputs
      .slice(states)
      .map((from, i) =>
        inputReverse[i] ? graph.add(reverse, { x: from }, { axes: [inputAxes[i]!] }).y : from,
      );
    const trips = lengthOf(scanned[0]!, inputAxes[0]!, graph);
    const body = new Graph(step.name, graph);
    const trip = body.input('trip', 'int64', []);
    body.input('goes', 'bool', []);
    const carried = step.inputs
      .slice(0, states)
      .map(({ name, dtype, shape, origin }) => body.input(name, dtype, shape, origin));
    const slices = scanned.map(
      (from, i) =>
        body.add(gather, { x: body.capture(from), indices: trip }, { axis: inputAxes[i]! }).y,
    );
    const results = inlineGraph(step, body, [
      ...carried,
      ...slices,
      ...captures.map((value) => body.capture(value)),
    ]);
    body.output('goes', body.literal('bool', [], [true]));
    results.forEach((value, i) => body.output(step.outputs[i]!.name, value));
    const { outputs } = graph.add(
      loop,
      { maxTrips: trips, carried: inputs.slice(0, states) },
      { carried: states },
      { regions: { body: body.region() } },
    );
    const stacked = outputs.slice(states).map((value, i) => {
      const inOrder = outputReverse[i] ? graph.add(reverse, { x: value }, { axes: [0] }).y : value;
      const axis = outputAxes[i]!;
      if (axis === 0) return inOrder;
      const perm = Array.from({ length: knownShape(inOrder).length }, (_, at) =>
        at < axis ? at + 1 : at === axis ? 0 : at,
      );
      return graph.add(transpose, { x: inOrder }, { perm }).y;
    });
    return { outputs: [...outputs.slice(0, states), ...stacked] };
  },
});

/** The size of an axis as a scalar. */
function lengthOf(value: Value, axis: number, graph: Graph): Value {
  const size = value.shape?.[axis];
  if (typeof size === 'number') return graph.literal('int64', [], [size]);
  return graph.add(
    gather,
    { x: graph.add(shapeOp, { x: value }, {}).y, indices: graph.literal('int64', [], [axis]) },
    { axis: 0 },
  ).y;
}
