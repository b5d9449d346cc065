import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { groupsOf } from '../tensor/groups.js';
import { toNumbers, type Tensor } from '../tensor/tensor.js';
import { broadcastShapes } from '../typing/broadcast.js';
import { inPieces } from './broadcast.js';

/**
 * How the elements that a normalisation takes together are scaled: to mean 0 and variance 1, or to
 * mean square 1.
 */
export type Moment = 'variance' | 'meanSquare';

/**
 * Elements less the mean of their group (if centred by `variance`), divided by the root of the
 * moment and epsilon. Groups differ in the dimensions `axes` only.
 */
export function standardise(
  x: Tensor,
  axes: readonly number[],
  epsilon: number,
  moment: Moment,
): Float64Array {
  const from = toNumbers(x);
  const { firsts, members } = groupsOf(x.shape, axes);
  const out = new Float64Array(from.length);
  const size = members.length;
  for (const first of firsts) {
    let mean = 0;
    if (moment === 'variance') {
      for (let i = 0; i < size; i++) mean += from[first + members[i]!]!;
      mean /= size;
    }
    let square = 0;
    for (let i = 0; i < size; i++) square += (from[first + members[i]!]! - mean) ** 2;
    const deviation = Math.sqrt(square / size + epsilon);
    for (let i = 0; i < size; i++)
      out[first + members[i]!] = (from[first + members[i]!]! - mean) / deviation;
  }
  return out;
}

/** Multiplies by `scale` and adds `bias`, which broadcast to the shape, in place. */
export function scaleAndShift(
  data: Float64Array,
  shape: readonly number[],
  scale: Tensor | undefined,
  bias: Tensor | undefined,
): void {
  for (const operand of [scale, bias]) {
    if (operand && broadcastShapes(operand.shape, shape)?.join() !== shape.join()) {
      throw coreDiagnostics.error('invalid-shape', {
        message: `[${operand.shape.join(', ')}] does not broadcast to [${shape.join(', ')}].`,
        origin: { file: '' },
      });
    }
  }
  const numbers = (operand: Tensor | undefined, neutral: number) =>
    operand ?? { dtype: 'float64' as const, shape: [], data: Float64Array.of(neutral) };
  // -0, because adding 0 would take the sign of a zero.
  inPieces([numbers(scale, 1), numbers(bias, -0)], shape, (at, count, parts) => {
    const [a, b] = parts as readonly Float64Array[];
    for (let i = 0; i < count; i++) data[at + i] = data[at + i]! * a![i]! + b![i]!;
  });
}

/**
 * A vector over the channels as a tensor that broadcasts along the channel axis of a tensor of
 * `rank` dimensions.
 */
export function alongAxis(vector: Tensor, axis: number, rank: number): Tensor {
  return { ...vector, shape: [...vector.shape, ...new Array<number>(rank - 1 - axis).fill(1)] };
}
