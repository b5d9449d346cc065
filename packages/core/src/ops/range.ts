import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { addDim, ceilDivDim, maxDim, mulDim, subDim, type Dim } from '../tensor/dim.js';
import { numberTypes, isInt } from '../tensor/dtype.js';
import { hull, least, most, type Interval } from '../tensor/interval.js';
import { allocate, tensor, toNumbers } from '../tensor/tensor.js';
import type { ValueType } from '../tensor/value-type.js';
import { knownElement, maxKnownElements } from '../typing/known-elements.js';
import { defineOp, one } from './define-op.js';
import { fixed } from './layout.js';
import { ofTerms } from './rounding.js';

/** The one known element of an integer scalar. */
const known = (type: ValueType): Dim | undefined => type.elements?.[0];

function count(start: Dim, limit: Dim, delta: number): Dim {
  return maxDim(
    delta > 0 ? ceilDivDim(subDim(limit, start), delta) : ceilDivDim(subDim(start, limit), -delta),
    0,
  );
}

/** Numbers in steps. */
export const range = defineOp({
  name: 'Range',
  summary:
    'The numbers start, start + delta, start + 2 delta, … before `limit`; none when delta leads away from it.',
  inputs: { start: one(...numberTypes), limit: one(...numberTypes), delta: one(...numberTypes) },
  outputs: { y: one(...numberTypes) },
  attrs: {},
  constraints: {
    C1: {
      says: 'start, limit and delta have one element type',
      holds: ({ start, limit, delta }) =>
        start.dtype === limit.dtype && start.dtype === delta.dtype,
    },
    C2: {
      says: 'start, limit and delta are scalars',
      holds: ({ start, limit, delta }) =>
        [start, limit, delta].every(({ shape }) => !shape || shape.length === 0),
    },
    C3: { says: 'delta is not 0', holds: ({ delta }) => known(delta) !== 0 },
  },
  infer: ({ start, limit, delta }, _, { fresh }) => {
    const [from, to, step] = [known(start), known(limit), known(delta)];
    if (from === undefined || to === undefined || typeof step !== 'number')
      return { y: { dtype: start.dtype, shape: [fresh('range')] } };
    const length = count(from, to, step);
    if (typeof length !== 'number' || length > maxKnownElements)
      return { y: { dtype: start.dtype, shape: [length] } };
    const elements = Array.from({ length }, (_, i) =>
      knownElement(addDim(from, mulDim(step, i)), start.dtype),
    );
    return {
      y: {
        dtype: start.dtype,
        shape: [length],
        elements: elements.every((element) => element !== undefined) ? elements : undefined,
      },
    };
  },
  range: ({ start, limit, delta }, _, types) => {
    if (!start || !limit || !delta || !isInt(types.start.dtype)) return { y: undefined };
    // The limit itself is not reached.
    const [up, down]: readonly Interval[] = [
      [start[0], most(start[1], limit[1] - 1n)],
      [least(start[0], limit[0] + 1n), start[1]],
    ];
    return { y: delta[0] > 0n ? up : delta[1] < 0n ? down : hull(up, down) };
  },
  evaluate: ({ start, limit, delta }) => {
    const [from, to, step] = [start, limit, delta].map((operand) => toNumbers(operand)[0]!) as [
      number,
      number,
      number,
    ];
    const length = Math.max(0, Math.ceil((to - from) / step));
    if (!Number.isSafeInteger(length)) {
      throw coreDiagnostics.error('not-evaluable', {
        message: `A range from ${from} to ${to} by ${step} does not end.`,
        origin: { file: '' },
      });
    }
    const data = allocate(start.dtype, length);
    if (start.data instanceof BigInt64Array || start.data instanceof BigUint64Array) {
      const [first, by] = [start.data[0]!, delta.data[0] as bigint];
      for (let i = 0; i < length; i++) (data as BigInt64Array)[i] = first + BigInt(i) * by;
    } else {
      for (let i = 0; i < length; i++) (data as Float64Array)[i] = from + i * step;
    }
    return { y: { dtype: start.dtype, shape: [length], data } };
  },
  layout: fixed('its result is a vector'),
  rounding: () => ofTerms(2),
  jumps: () => true,
  examples: [
    {
      inputs: {
        start: tensor('int64', [], [3]),
        limit: tensor('int64', [], [10]),
        delta: tensor('int64', [], [3]),
      },
      attrs: {},
      outputs: { y: tensor('int64', [3], [3, 6, 9]) },
    },
    {
      inputs: {
        start: tensor('float32', [], [1]),
        limit: tensor('float32', [], [0]),
        delta: tensor('float32', [], [-0.5]),
      },
      attrs: {},
      outputs: { y: tensor('float32', [2], [1, 0.5]) },
    },
    {
      inputs: {
        start: tensor('int32', [], [5]),
        limit: tensor('int32', [], [2]),
        delta: tensor('int32', [], [1]),
      },
      attrs: {},
      outputs: { y: tensor('int32', [0], []) },
    },
  ],
});
