import type { DType } from '../tensor/dtype.js';
import { stridesOf } from '../tensor/strides.js';
import { allocate, sizeOf, type Elements, type Tensor } from '../tensor/tensor.js';

/**
 * Elements picked from `from`: element i of the result is element `pick(i)`, and where that is
 * negative the one element of `fill` (else zero, false or the empty text).
 */
export function pickElements(
  from: Tensor,
  shape: readonly number[],
  pick: (at: number) => number,
  fill?: Tensor,
): Tensor {
  const parts = partsOf(from.dtype);
  const data = allocate(from.dtype, sizeOf(shape));
  if (from.data instanceof Float64Array && data instanceof Float64Array && parts === 1) {
    const source = from.data;
    const blank = Number(fill?.data[0] ?? 0);
    for (let at = 0; at < data.length; at++) {
      const p = pick(at);
      data[at] = p < 0 ? blank : source[p]!;
    }
    return { dtype: from.dtype, shape, data };
  }
  const [source, target] = [from.data, data] as unknown as [unknown[], unknown[]];
  const blank = (fill?.data ?? allocate(from.dtype, 1)) as unknown as unknown[];
  for (let at = 0; at < data.length / parts; at++) {
    const p = pick(at);
    for (let k = 0; k < parts; k++)
      target[at * parts + k] = p < 0 ? blank[k] : source[p * parts + k];
  }
  return { dtype: from.dtype, shape, data };
}

/**
 * Elements picked axis by axis: index i along axis a of the result is index `maps[a][i]` of `from`,
 * and where one of these is negative the one element of `fill` (else zero, false or the empty
 * text).
 */
export function pickByAxis(
  from: Tensor,
  maps: readonly ArrayLike<number>[],
  fill?: Tensor,
): Tensor {
  const shape = maps.map((map) => map.length);
  const data = allocate(from.dtype, sizeOf(shape));
  // The two numbers of a complex element are a dimension of their own.
  const own = partsOf(from.dtype) === 2 ? [2] : [];
  const axes = [...maps, ...own.map(() => [0, 1])];
  if (fill) {
    const same = [...shape.map(() => 0), ...own.map(() => 1)];
    reader(fill.data, 0, same, data, [...shape, ...own])(0, data.length);
  }
  const strides = stridesOf([...from.shape, ...own]);
  const last = axes.pop() ?? [0];
  const runs = runsOf(last);
  const copy = copier(from.data, data);
  const index = axes.map(() => 0);
  for (let at = 0; at < data.length; at += last.length) {
    let row = 0;
    for (let axis = 0; axis < index.length && row >= 0; axis++) {
      const i = axes[axis]![index[axis]!]!;
      row = i < 0 ? -1 : row + i * strides[axis]!;
    }
    if (row >= 0)
      for (const { to, first, step, count } of runs) copy(row + first, step, at + to, count);
    for (let axis = index.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--)
      index[axis] = 0;
  }
  return { dtype: from.dtype, shape, data };
}

/** Indices that are equally far apart: `count` of them, the first in place `to` of a map. */
interface Run {
  readonly to: number;
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** The runs of a map, without what is negative. */
function runsOf(map: ArrayLike<number>): readonly Run[] {
  const runs: Run[] = [];
  for (let to = 0; to < map.length;) {
    const first = map[to]!;
    const step = map[to + 1]! >= 0 ? map[to + 1]! - first : 0;
    let count = 1;
    while (
      to + count < map.length &&
      map[to + count]! >= 0 &&
      map[to + count] === first + step * count
    )
      count++;
    if (first >= 0) runs.push({ to, first, step, count });
    to += first >= 0 ? count : 1;
  }
  return runs;
}

/**
 * Elements in C order of `shape`, found in `from` by `strides` (elements to step, negative or 0
 * too) from element `first` on.
 */
export function strided(
  from: Tensor,
  shape: readonly number[],
  strides: readonly number[],
  first = 0,
): Tensor {
  const data = allocate(from.dtype, sizeOf(shape));
  const read =
    partsOf(from.dtype) === 1
      ? reader(from.data, first, strides, data, shape)
      : reader(from.data, 2 * first, [...strides.map((stride) => 2 * stride), 1], data, [
          ...shape,
          2,
        ]);
  read(0, data.length);
  return { dtype: from.dtype, shape, data };
}

/**
 * Copies `count` numbers of one tensor's storage, `step` apart from place `first` on, to `count`
 * places of another's from `at` on.
 */
export type Copier = (first: number, step: number, at: number, count: number) => void;

/** The copier from one storage to another of the same kind. */
export function copier(from: Elements, to: Elements): Copier {
  if (from instanceof Float64Array && to instanceof Float64Array) {
    return (first, step, at, count) => {
      if (step === 1 && count >= 16) to.set(from.subarray(first, first + count), at);
      else if (step === 0 && count >= 16) to.fill(from[first]!, at, at + count);
      else for (let i = 0, p = first; i < count; i++, p += step) to[at + i] = from[p]!;
    };
  }
  const [source, target] = [from, to] as unknown as [unknown[], unknown[]];
  const [bytes, space] = [from, to] as [Uint8Array, Uint8Array];
  return (first, step, at, count) => {
    if (step === 1 && count >= 16 && ArrayBuffer.isView(from))
      space.set(bytes.subarray(first, first + count), at);
    else for (let i = 0, p = first; i < count; i++, p += step) target[at + i] = source[p];
  };
}

/** Numbers that make one element: two for complex types. */
export function partsOf(dtype: DType): number {
  return dtype === 'complex64' || dtype === 'complex128' ? 2 : 1;
}

/**
 * A function that copies elements of a tensor in C order of `shape`: `count` of them from place
 * `at` on to the beginning of `to`. They are found in `from` as by `strided`.
 */
export function reader(
  from: Elements,
  first: number,
  strides: readonly number[],
  to: Elements,
  shape: readonly number[],
): (at: number, count: number) => void {
  // Dimensions that follow one another in memory become one, so that whole blocks are copied.
  const merged: { size: number; stride: number }[] = [];
  shape.forEach((size, axis) => {
    const last = merged.at(-1);
    if (size === 1) return;
    if (last && last.stride === strides[axis]! * size)
      Object.assign(last, { size: last.size * size, stride: strides[axis]! });
    else merged.push({ size, stride: strides[axis]! });
  });
  const { size, stride } = merged.pop() ?? { size: 1, stride: 1 };
  const index = merged.map(() => 0);
  const copy = copier(from, to);
  return (at, count) => {
    let skipped = at % size;
    let row = first;
    for (let axis = merged.length - 1, rest = Math.floor(at / size); axis >= 0; axis--) {
      const outer = merged[axis]!;
      index[axis] = rest % outer.size;
      row += index[axis]! * outer.stride;
      rest = Math.floor(rest / outer.size);
    }
    for (let done = 0; done < count;) {
      const here = Math.min(size - skipped, count - done);
      copy(row + skipped * stride, stride, done, here);
      done += here;
      skipped = 0;
      for (let axis = merged.length - 1; axis >= 0; axis--) {
        const outer = merged[axis]!;
        row += outer.stride;
        if (++index[axis]! < outer.size) break;
        row -= outer.stride * outer.size;
        index[axis] = 0;
      }
    }
  };
}
