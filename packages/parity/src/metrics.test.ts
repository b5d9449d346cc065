import { tensor, type Tensor } from '@drover/core';
import { measure } from './metrics.js';

const f32 = (shape: number[], values: number[]) => tensor('float32', shape, values);

describe('measure', () => {
  it('computes every metric of a small example by hand', () => {
    // Differences 0, 0.5, -2, 0; squares 0.25 and 4.
    const metrics = measure(f32([2, 2], [1, 2.5, 2, 0]), f32([2, 2], [1, 2, 4, 0]));
    expect(metrics).toEqual({
      count: 4,
      maxAbs: 2,
      maxRel: 0.5,
      // From 2 to 4 is one binade of binary32.
      maxUlp: 2 ** 23,
      rmse: Math.sqrt(4.25 / 4),
      // (1 + 5 + 8) / sqrt(1 + 6.25 + 4) / sqrt(1 + 4 + 16)
      cosine: expect.closeTo(14 / Math.sqrt(11.25 * 21), 14),
      worst: { index: [1, 0], actual: 2, expected: 4 },
      top1: 1,
      nanMismatches: 0,
      infinityMismatches: 0,
    });
  });

  it('finds equal tensors exact, NaN, infinities and zeros of both signs included', () => {
    const metrics = measure(
      f32([4], [NaN, Infinity, -Infinity, 0]),
      f32([4], [NaN, Infinity, -Infinity, -0]),
    );
    expect(metrics).toMatchObject({
      maxAbs: 0,
      maxRel: 0,
      maxUlp: 0,
      rmse: 0,
      cosine: null,
      worst: null,
      nanMismatches: 0,
      infinityMismatches: 0,
    });
  });

  it('counts NaN and infinities that do not coincide', () => {
    const metrics = measure(
      f32([5], [NaN, 1, Infinity, -Infinity, 1]),
      f32([5], [1, NaN, 1, Infinity, 1]),
    );
    expect(metrics).toMatchObject({
      nanMismatches: 2,
      infinityMismatches: 2,
      maxAbs: Infinity,
      maxUlp: Infinity,
      rmse: 0,
    });
    expect(metrics.worst?.index).toEqual([0]);
  });

  it('leaves zeros out of the relative error', () => {
    expect(measure(f32([2], [0.5, 3]), f32([2], [0, 2]))).toMatchObject({ maxAbs: 1, maxRel: 0.5 });
  });

  it('subtracts 64-bit integers exactly', () => {
    const metrics = measure(
      tensor('int64', [1], [2n ** 62n + 1n]),
      tensor('int64', [1], [2n ** 62n]),
    );
    expect(metrics).toMatchObject({ maxAbs: 1, maxUlp: null, worst: { index: [0] } });
  });

  it('compares integers of different widths, and bool', () => {
    expect(measure(tensor('int32', [2], [3, 4]), tensor('int64', [2], [3n, 6n]))).toMatchObject({
      maxAbs: 2,
      maxUlp: null,
    });
    expect(
      measure(tensor('bool', [2], [true, false]), tensor('bool', [2], [true, true])),
    ).toMatchObject({ maxAbs: 1, top1: null });
  });

  it('counts ULP in the coarser type', () => {
    const exact: Tensor = {
      dtype: 'float64',
      shape: [1],
      data: Float64Array.of(1 + 2 ** -23 + 2 ** -40),
    };
    expect(measure(f32([1], [1]), exact).maxUlp).toBe(1);
  });

  it('compares text', () => {
    expect(
      measure(tensor('string', [2], ['a', 'b']), tensor('string', [2], ['a', 'c'])),
    ).toMatchObject({
      maxAbs: 1,
      worst: { index: [1], actual: 'b', expected: 'c' },
    });
  });

  it('compares complex numbers by their parts and names the element', () => {
    const complex = (...parts: number[]): Tensor => ({
      dtype: 'complex64',
      shape: [2],
      data: Float64Array.from(parts),
    });
    expect(measure(complex(1, 2, 3, 4), complex(1, 2, 3, 6))).toMatchObject({
      count: 4,
      maxAbs: 2,
      worst: { index: [1] },
      top1: null,
    });
  });

  it('tells how many rows have the same winner, ties to the lower place', () => {
    const metrics = measure(
      f32([3, 3], [1, 3, 2, 5, 5, 0, 0, 0, 1]),
      f32([3, 3], [0, 9, 8, 6, 6, 0, 2, 0, 1]),
    );
    expect(metrics.top1).toBe(2 / 3);
  });

  it('measures a scalar and an empty tensor', () => {
    expect(measure(f32([], [2]), f32([], [1]))).toMatchObject({
      count: 1,
      maxAbs: 1,
      worst: { index: [] },
      top1: null,
    });
    expect(measure(f32([0, 3], []), f32([0, 3], []))).toMatchObject({
      count: 0,
      maxAbs: 0,
      top1: null,
      rmse: 0,
    });
  });
});
