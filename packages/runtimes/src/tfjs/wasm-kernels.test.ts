import * as tf from '@tensorflow/tfjs-core';
import { importPeer } from '../engine.js';
import { startBackend } from './backend.js';
import { mixedBackend } from './wasm-kernels.js';

/** Numbers between -1 and 1 that repeat after 997. */
const filled = (shape: number[], seed = 1) => {
  const elements = Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => {
    const step = ((i + seed) * 356) % 997;
    return (2 * step) / 996 - 1;
  });
  return tf.tensor(elements, shape, 'float32');
};
const special = (shape: number[], ...values: number[]) =>
  tf.tidy(() => {
    const elements = filled(shape).dataSync().slice();
    elements.set(values, 5);
    return tf.tensor(elements, shape, 'float32');
  });
const bools = (...values: number[]) => tf.tensor(new Uint8Array(values), [values.length], 'bool');
const image = (...shape: number[]) => filled(shape) as tf.Tensor4D;
const filter = (...shape: number[]) => filled(shape, 3) as tf.Tensor4D;

beforeAll(async () => {
  tf.enableProdMode();
  await startBackend(tf, { backend: undefined, wasmFolder: undefined }, importPeer);
});

async function on(backend: string, compute: () => tf.Tensor) {
  await tf.setBackend(backend);
  return tf.tidy(() => {
    const result = compute();
    return { dtype: result.dtype, shape: result.shape, values: [...result.dataSync()] };
  });
}

const cases: readonly (readonly [string, () => tf.Tensor])[] = [
  [
    'a filter smaller than its stride',
    () => tf.conv2d(image(1, 8, 6, 3), filter(1, 1, 3, 4), 3, 'same'),
  ],
  ['pads of two sides', () => tf.conv2d(image(2, 7, 5, 3), filter(4, 3, 3, 2), 2, 'same')],
  [
    'a dilated filter',
    () => tf.conv2d(image(1, 9, 9, 2), filter(3, 2, 2, 2), 1, 'valid', 'NHWC', 2),
  ],
  ['no images', () => tf.conv2d(image(0, 4, 4, 2), filter(3, 3, 2, 2), 1, 'same')],
  [
    'filters of single channels',
    () => tf.depthwiseConv2d(image(1, 8, 8, 3), filter(2, 2, 3, 2), [3, 3], 'same'),
  ],
  [
    'a transposed convolution',
    () =>
      tf.conv2dTranspose(
        image(1, 4, 3, 2) as tf.Tensor4D,
        filter(3, 3, 4, 2),
        [1, 8, 6, 4],
        2,
        'same',
      ),
  ],
  [
    'NaN and infinities before relu6',
    () =>
      tf.fused.conv2d({
        x: special([1, 4, 4, 2], NaN, Infinity, -Infinity) as tf.Tensor4D,
        filter: filter(2, 2, 2, 3),
        strides: 1,
        pad: 'valid',
        bias: filled([3]),
        activation: 'relu6',
      }),
  ],
  [
    'relu6 after a product',
    () =>
      tf.fused.matMul({
        a: filled([9, 40]),
        b: filled([40, 33], 7),
        bias: filled([33]),
        activation: 'relu6',
      }),
  ],
  [
    'prelu after a convolution',
    () =>
      tf.fused.conv2d({
        x: image(1, 5, 5, 3),
        filter: filter(3, 3, 3, 4),
        strides: 1,
        pad: 'same',
        bias: filled([4]),
        activation: 'prelu',
        preluActivationWeights: filled([4], 9),
      }),
  ],
  [
    'a bias of all axes',
    () => tf.fused.matMul({ a: filled([4, 6]), b: filled([6, 5], 7), bias: filled([4, 5]) }),
  ],
  [
    'a product of integers',
    () =>
      tf.matMul(
        tf.tensor2d([[46341, 1]], [1, 2], 'int32'),
        tf.tensor2d([[46341], [1]], [2, 1], 'int32'),
      ),
  ],
  [
    'a product of what was cast',
    () => tf.matMul(tf.cast(tf.tensor2d([[1, 2]], [1, 2], 'int32'), 'float32'), filled([2, 3])),
  ],
  ['a product over nothing', () => tf.matMul(filled([2, 0]), filled([0, 3]))],
  [
    'products of transposed matrices',
    () => tf.matMul(filled([3, 5, 4]), filled([1, 6, 5]), true, true),
  ],
  ['a transpose', () => tf.transpose(filled([2, 3, 4, 5, 6]), [3, 0, 4, 2, 1])],
  [
    'pads',
    () =>
      tf.pad(
        special([2, 3, 4], NaN, -0),
        [
          [1, 0],
          [0, 2],
          [3, 1],
        ],
        1.5,
      ),
  ],
  [
    'every other column, backwards',
    () => tf.stridedSlice(filled([3, 7]), [0, -1], [3, -8], [1, -2]),
  ],
  ['every other column', () => tf.stridedSlice(filled([3, 7]), [0, 1], [3, 7], [1, 2])],
  [
    'one of two bools',
    () => tf.where(bools(1, 0, 1, 0, 0), bools(1, 1, 0, 0, 1), bools(0, 1, 1, 0, 0)),
  ],
  [
    'a sum over a named axis',
    () => tf.einsum('bik,bkj->bij', filled([2, 3, 4]), filled([2, 4, 5])),
  ],
  ['one class', () => tf.softmax(filled([3, 1]))],
];

it.each(cases)('computes as plain kernels do: %s', async (_, compute) => {
  const [mixed, plain] = [await on(mixedBackend, compute), await on('cpu', compute)];
  expect([mixed.dtype, mixed.shape]).toEqual([plain.dtype, plain.shape]);
  const finite = plain.values.filter((value) => Number.isFinite(value)).map(Math.abs);
  // The sums go another way: some units in the last place of the largest.
  const rounding = 16 * 2 ** -23 * Math.max(0, ...finite);
  const wrong = plain.values.flatMap((value, i) => {
    const other = mixed.values[i]!;
    return Object.is(other + 0, value + 0) || Math.abs(other - value) <= rounding
      ? []
      : [[i, other, value]];
  });
  expect(wrong).toEqual([]);
});

it('uses WebAssembly, and goes on without it when it fails', async () => {
  const { kernelFunc, ...kernel } = tf.getKernel('BatchMatMul', 'wasm');
  const calls: string[] = [];
  const replace = (replacement: typeof kernelFunc) => {
    tf.unregisterKernel('BatchMatMul', 'wasm');
    tf.registerKernel({ ...kernel, kernelFunc: replacement });
  };
  const product = () => on(mixedBackend, () => tf.matMul(filled([2, 3]), filled([3, 2])));
  const whole = await product();
  replace((given) => {
    calls.push('computes');
    return kernelFunc(given);
  });
  expect(await product()).toEqual(whole);
  expect(calls).toContain('computes');
  replace(() => {
    calls.push('fails');
    throw new WebAssembly.RuntimeError('unreachable');
  });
  const computed = calls.length;
  expect((await product()).shape).toEqual([2, 2]);
  replace(() => {
    calls.push('is asked again');
    throw new WebAssembly.RuntimeError('unreachable');
  });
  expect((await product()).values).toHaveLength(4);
  expect(calls.slice(computed)).toEqual(['fails']);
});
