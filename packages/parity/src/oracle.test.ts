import { ops, parseGraph, tensor } from '@drover/core';
import { consultOracle } from './oracle.js';

const graph = parseGraph(`graph main(x: float32[2, 3]) {
  w: float32[3, 2] = constant [1, 0, 0, 1, 1, 1]
  product: float32[2, 2] = MatMul(x, w)
  t: float32[2, 2] = Tanh(product)
  kept: float32[2, 3] = Transpose(x) {"perm":[0,1]}
  return t, kept
}
`);
const x = tensor('float32', [2, 3], [0.5, 0, 0, 0, -0.5, 1]);

it('gives float64 results, and the root of the squares that may be lost on the way', async () => {
  const { outputs, allowanceUlp } = await consultOracle(
    graph,
    new Map([['x', x]]),
    ['t', 'kept'],
    'm',
  );
  expect(outputs.get('t')).toEqual({
    dtype: 'float32',
    shape: [2, 2],
    data: Float64Array.from([0.5, 0, 1, 0.5], Math.tanh),
  });
  const product = ops.MatMul.ulp({ a: [2, 3], b: [3, 2] }, {});
  const tanh = ops.Tanh.ulp({ x: [2, 2] }, {});
  expect(Object.fromEntries(allowanceUlp)).toEqual({ t: Math.hypot(product, tanh), kept: 0 });
});

it('goes by place where the names of the runtime are others', async () => {
  const { outputs, allowanceUlp } = await consultOracle(
    graph,
    new Map([['input', x]]),
    ['a', 'b'],
    'm',
  );
  expect([...outputs.keys()]).toEqual(['a', 'b']);
  expect(outputs.get('b')!.data).toEqual(x.data);
  expect(allowanceUlp.get('a')).toBeGreaterThan(0);
});
