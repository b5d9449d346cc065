import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Value } from '../graph/value.js';
import { symbolName } from '../tensor/dim.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Sizes of the named dimensions, read off the tensors given for some values, beside those `known`.
 * Throws where a tensor does not fit its value: `core/input-type` and `core/input-shape`, or
 * `core/invalid-shape` for the parameters of a body, which the model itself gave.
 */
export function bindSizes(
  given: Iterable<readonly [Value, Tensor]>,
  known: ReadonlyMap<string, number>,
  isBody: boolean,
): Map<string, number> {
  const sizes = new Map(known);
  for (const [value, { dtype, shape }] of given) {
    const mismatch = (what: 'input-type' | 'input-shape') =>
      coreDiagnostics.error(isBody ? 'invalid-shape' : what, {
        message: `The input ${value} cannot be ${dtype}[${shape.join(', ')}].`,
        origin: { file: '', node: value.name },
      });
    if (dtype !== value.dtype) throw mismatch('input-type');
    if (!value.shape) continue;
    if (value.shape.length !== shape.length) throw mismatch('input-shape');
    for (const [axis, dim] of value.shape.entries()) {
      const size = shape[axis]!;
      const name = symbolName(dim);
      const stated = name === undefined ? dim : (sizes.get(name) ?? size);
      if (typeof stated === 'number' && stated !== size) throw mismatch('input-shape');
      if (name !== undefined) sizes.set(name, size);
    }
  }
  return sizes;
}
