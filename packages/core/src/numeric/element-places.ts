import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { stridesOf, walk } from '../tensor/strides.js';
import { toNumbers, type Tensor } from '../tensor/tensor.js';
import { indexOf } from './index-of.js';

/**
 * For each index the place in a tensor of `shape` that lies where the index lies, except along
 * `axis`, where it is the index itself.
 */
export function elementPlaces(
  shape: readonly number[],
  indices: Tensor,
  axis: number,
): Float64Array {
  const strides = stridesOf(shape);
  const numbers = toNumbers(indices);
  const places = new Float64Array(numbers.length);
  if (
    indices.shape.length !== shape.length ||
    indices.shape.some((dim, i) => i !== axis && dim > shape[i]!)
  ) {
    throw coreDiagnostics.error('invalid-shape', {
      message: `Indices of [${indices.shape.join(', ')}] do not fit [${shape.join(', ')}] along axis ${axis}.`,
      origin: { file: '' },
    });
  }
  const beside = strides.map((stride, i) => (i === axis ? 0 : stride));
  walk(indices.shape, [beside], (at, [place]) => {
    places[at] = place! + indexOf(numbers[at]!, shape[axis]!) * strides[axis]!;
  });
  return places;
}

/**
 * For each index tuple (the last dimension of `indices`) the place of the block of a tensor of
 * `shape` that it names, below `batchDims` common dimensions.
 */
export function blockPlaces(
  shape: readonly number[],
  indices: Tensor,
  batchDims: number,
): Float64Array {
  const strides = stridesOf(shape);
  const numbers = toNumbers(indices);
  const depth = indices.shape.at(-1)!;
  const fits =
    batchDims + depth <= shape.length &&
    indices.shape.slice(0, batchDims).every((dim, i) => dim === shape[i]);
  if (!fits) {
    throw coreDiagnostics.error('invalid-shape', {
      message: `Index tuples of [${indices.shape.join(', ')}] do not fit [${shape.join(', ')}] with ${batchDims} common dimensions.`,
      origin: { file: '' },
    });
  }
  const outer = indices.shape.slice(0, -1);
  const places = new Float64Array(outer.reduce((a, b) => a * b, 1));
  const common = outer.map((_, i) => (i < batchDims ? strides[i]! : 0));
  walk(outer, [common], (at, [first]) => {
    let place = first!;
    for (let i = 0; i < depth; i++)
      place += indexOf(numbers[at * depth + i]!, shape[batchDims + i]!) * strides[batchDims + i]!;
    places[at] = place;
  });
  return places;
}
