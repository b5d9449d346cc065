import { parseGraph, tensor } from '@drover/core';
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

it('gives float64 results, and what rounding in float32 does to each', async () => {
  const { outputs, expected, jumps } = await consultOracle(
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
  // Some tenths of a unit in the last place of 1, from four elements in as many samples.
  const { rms, count, shares } = expected.get('t')!;
  expect([rms > 2 ** -26, rms < 2 ** -22, count]).toEqual([true, true, 16]);
  expect([...shares.keys()].sort()).toEqual(['MatMul', 'Tanh']);
  expect([...shares.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
  expect(expected.get('kept')).toMatchObject({ rms: 0, max: 0 });
  expect(jumps).toBe(false);
});

it('goes by place where the names of the runtime are others', async () => {
  const { outputs, expected } = await consultOracle(
    graph,
    new Map([['input', x]]),
    ['a', 'b'],
    'm',
  );
  expect([...outputs.keys()]).toEqual(['a', 'b']);
  expect(outputs.get('b')!.data).toEqual(x.data);
  expect(expected.get('a')!.rms).toBeGreaterThan(0);
});
