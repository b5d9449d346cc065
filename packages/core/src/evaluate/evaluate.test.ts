import { Graph } from '../graph/graph.js';
import { ops } from '../ops/ops.js';
import { symbol } from '../tensor/dim.js';
import { tensor, type Tensor } from '../tensor/tensor.js';
import type { GraphInputs } from './bind-inputs.js';
import { evaluate } from './evaluate.js';

const floats = (...values: number[]) => tensor('float32', [values.length], values);

/** y = a - b, over vectors of one length. */
function difference(): Graph {
  const graph = new Graph();
  const [a, b] = ['a', 'b'].map((name) => graph.input(name, 'float32', [symbol('n')]));
  graph.output('y', graph.add(ops.Sub, { a: a!, b: b! }, {}).y);
  return graph;
}

const [three, one] = [floats(3, 3), floats(1, 2)];

it.each<[string, GraphInputs]>([
  ['in order', [three, one]],
  ['as a map', new Map([['b', one], ['a', three]])], // prettier-ignore
  ['as a record', { b: one, a: three }],
])('takes inputs %s', async (_, inputs) => {
  expect(await evaluate(difference(), inputs)).toEqual(new Map([['y', floats(2, 1)]]));
});

it.each<[string, unknown, string, RegExp]>([
  ['one too few', [three], 'core/missing-input', /"b" is not given\. The graph has "a", "b"/],
  ['no name', new Map([['a', three]]), 'core/missing-input', /"b" is not given/],
  ['an empty place', { a: three, b: undefined }, 'core/missing-input', /"b" is not given/],
  ['one too many', [three, one, one], 'core/unknown-input', /number 3 is not one of the graph/],
  ['another name', { a: three, b: one, c: one }, 'core/unknown-input', /"c" is not one of/],
  [
    'a name of every object',
    { a: three, b: one, constructor: one },
    'core/unknown-input',
    /"constr/,
  ],
  ['a plain array', [three, [1, 2]], 'core/input-type', /"b" is no tensor/],
  [
    'another type',
    [three, tensor('int32', [2], [1, 2])],
    'core/input-type',
    /b: float32\[n\] .*int32/,
  ],
  ['another rank', [three, tensor('float32', [2, 1], [1, 2])], 'core/input-shape', /b: .*\[2, 1\]/],
  ['another length', { a: three, b: floats(1, 2, 3) }, 'core/input-shape', /b: .*\[3\]/],
  ['half a tensor', [{ ...three, shape: [4] }, one], 'core/input-shape', /"a" has 2 elements/],
])('refuses %s', async (_, inputs, code, message) => {
  await expect(evaluate(difference(), inputs as GraphInputs)).rejects.toEqual(
    expect.objectContaining({
      failure: 'usage',
      diagnostics: [expect.objectContaining({ code, message: expect.stringMatching(message) })],
    }),
  );
});

it('takes complex numbers as pairs', async () => {
  const graph = new Graph();
  graph.output('y', graph.input('x', 'complex64', [1]));
  const x: Tensor = tensorOf([1, 2]);
  expect((await evaluate(graph, [x])).get('y')).toBe(x);
  await expect(evaluate(graph, [tensorOf([1])])).rejects.toThrow('core/input-shape');

  function tensorOf(parts: number[]): Tensor {
    return { dtype: 'complex64', shape: [1], data: Float64Array.from(parts) };
  }
});
