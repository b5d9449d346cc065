import { bounds, maxDim, sameDim, type Dim, type Shape } from '../tensor/dim.js';
import { sizeOf } from '../tensor/tensor.js';

/** Whether a dimension may be 1, and so be repeated. */
const isRepeated = (dim: Dim): boolean => bounds(dim)[0] <= 1;

/**
 * The shape that two shapes broadcast to (NumPy's rule: aligned at the end, a dimension of 1 is
 * repeated). Of two different dimensions the one that cannot be 1 is the result's; if both may be,
 * it is their maximum. undefined when they do not fit.
 */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x === 1 || sameDim(x, y)) out.push(y);
    else if (y === 1) out.push(x);
    else if (typeof x === 'number' && typeof y === 'number') return undefined;
    else out.push(isRepeated(x) ? (isRepeated(y) ? maxDim(x, y) : y) : x);
  }
  return out;
}

/** Elements to step for each dimension of a C-order shape. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let i = shape.length - 1, stride = 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  return strides;
}

/**
 * Strides by which an operand of `shape` walks through a result of `to`: 0 where it is repeated.
 */
export function broadcastStrides(shape: readonly number[], to: readonly number[]): number[] {
  const own = stridesOf(shape);
  return to.map((_, i) => {
    const axis = i - to.length + shape.length;
    return axis < 0 || shape[axis] === 1 ? 0 : own[axis]!;
  });
}

/**
 * Calls `visit` for each element of `shape` in C order with its index and the offset in each
 * operand. `strides[k]` walks operand k.
 */
export function walk(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (at: number, offsets: readonly number[]) => void,
): void {
  const count = sizeOf(shape);
  const rank = shape.length;
  const index = new Array<number>(rank).fill(0);
  const offsets = strides.map(() => 0);
  for (let at = 0; at < count; at++) {
    visit(at, offsets);
    for (let axis = rank - 1; axis >= 0; axis--) {
      for (let k = 0; k < offsets.length; k++) offsets[k]! += strides[k]![axis]!;
      if (++index[axis]! < shape[axis]!) break;
      for (let k = 0; k < offsets.length; k++) offsets[k]! -= strides[k]![axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}
