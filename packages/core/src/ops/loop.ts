import { checkParameter, invalidBody } from '../constraints/body.js';
import { canBe } from '../constraints/same-type.js';
import type { Graph } from '../graph/graph.js';
import { stack } from '../numeric/stack.js';
import { maxDim, type Dim } from '../tensor/dim.js';
import { dtypes } from '../tensor/dtype.js';
import { tensor, type Tensor } from '../tensor/tensor.js';
import type { ValueType } from '../tensor/value-type.js';
import { bodyResults, joinTypes } from '../typing/body.js';
import { int } from './attr.js';
import { defineOp, many, optional } from './define-op.js';
import { fixed } from './layout.js';
import { exact } from './rounding.js';

/**
 * Whether a body never stops the loop: its first result is constant true, or the condition that it
 * was given.
 */
function goesOn(body: Graph): boolean {
  const condition = body.outputs[0]?.value;
  return (
    condition !== undefined &&
    (condition === body.inputs[1] || condition.constant?.peek()?.data[0] === 1)
  );
}

/** The number of trips where inference can tell it. */
function trips(
  body: Graph,
  maxTrips: ValueType | undefined,
  condition: ValueType | undefined,
): Dim | undefined {
  const most = maxTrips?.elements?.[0];
  return most !== undefined && condition === undefined && goesOn(body)
    ? maxDim(most, 0)
    : undefined;
}

/**
 * A body repeated, as ONNX Loop-21: at most `maxTrips` times (without end when absent) and while
 * the condition holds (true at the start when absent). The body takes the number of the trip (int64
 * scalar), the condition (bool scalar) and the carried values, and gives the next condition, the
 * next carried values and any number of scanned values. The results are the carried values at the
 * end, then each scanned value of all trips stacked along a new axis 0.
 *
 * A source's condition that is constant true is to be left out: with it, the number of trips is not
 * known before the model runs.
 */
export const loop = defineOp({
  name: 'Loop',
  summary: 'Repeats a body, carrying values from trip to trip and stacking what each trip yields.',
  inputs: { maxTrips: optional('int64'), condition: optional('bool'), carried: many(...dtypes) },
  outputs: { outputs: many(...dtypes) },
  attrs: { carried: int() },
  regions: ['body'],
  constraints: {
    C1: {
      says: 'the number of trips and the condition are one element',
      holds: ({ maxTrips, condition }) =>
        [maxTrips, condition].every((type) => canBe(type) || canBe(type, 1)),
    },
    C2: {
      says: 'carried is the number of carried values',
      holds: (types, { carried }) => types.carried.length === carried,
    },
  },
  infer: (types, { carried }, { regions, fresh }) => {
    const body = regions['body'] ?? invalidBody('Loop', 'it is missing.');
    const unknown = () => fresh('loop');
    const parameters: ValueType[] = [
      { dtype: 'int64', shape: [] },
      { dtype: 'bool', shape: [] },
      ...types.carried,
    ];
    parameters.forEach((type, i) => checkParameter('Loop', body.inputs[i], type));
    const [condition, ...results] = bodyResults(body, 2 + carried, parameters, unknown);
    if (condition?.dtype !== 'bool' || results.length < carried)
      invalidBody('Loop', `a condition and ${carried} carried values must be its first results.`);
    const outputs = results.map((type, i): ValueType => {
      if (i >= carried)
        return {
          dtype: type.dtype,
          shape: type.shape && [
            trips(body, types.maxTrips, types.condition) ?? unknown(),
            ...type.shape,
          ],
        };
      checkParameter('Loop', body.inputs[2 + i], type);
      return joinTypes(types.carried[i]!, type, unknown);
    });
    return { outputs };
  },
  evaluate: async ({ maxTrips, condition, carried: initial }, { carried }, { run, results }) => {
    const most = maxTrips ? Number(maxTrips.data[0]) : Infinity;
    let goes = condition ? condition.data[0] === 1 : true;
    let state: readonly Tensor[] = initial;
    const scanned = results('body')
      .slice(1 + carried)
      .map((): Tensor[] => []);
    for (let trip = 0; goes && trip < most; trip++) {
      const [next, ...values] = await run('body', [
        tensor('int64', [], [trip]),
        tensor('bool', [], [true]),
        ...state,
      ]);
      goes = next!.data[0] === 1;
      state = values.slice(0, carried);
      values.slice(carried).forEach((value, i) => scanned[i]!.push(value));
    }
    return {
      outputs: [
        ...state,
        ...scanned.map((slices, i) => stack(slices, 0, results('body')[1 + carried + i]!)),
      ],
    };
  },
  layout: fixed('the body takes and gives its values as they are'),
  rounding: exact,
  examples: [],
});
