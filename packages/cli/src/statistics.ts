import { bytesOf, decodeTensor, type Weight } from '@drover/core';
import { inMultiples } from '@drover/core/format';

/** What the elements of a tensor are, the finite ones as far as numbers go. */
export interface Statistics {
  /** Null where no element is finite. */
  readonly least: number | null;
  readonly greatest: number | null;
  readonly mean: number | null;
  /** Root of the mean square distance from the mean. */
  readonly deviation: number | null;
  readonly zeros: number;
  readonly nan: number;
  readonly infinite: number;
}

/** Reads a tensor of numbers piece by piece; undefined for text, which has no statistics. */
export async function statisticsOf(weight: Weight): Promise<Statistics | undefined> {
  const { dtype } = weight;
  if (dtype === 'string') return undefined;
  let [least, greatest, count, mean, squares, zeros, nan, infinite] = [
    Infinity,
    -Infinity,
    0,
    0,
    0,
    0,
    0,
    0,
  ];
  const unit = bytesOf(dtype, 8);
  for await (const piece of inMultiples(weight.chunks(), unit)) {
    const elements = Math.floor((piece.length * 8) / unit);
    for (const element of decodeTensor(piece, dtype, [elements]).data) {
      const x = Number(element);
      if (x === 0) zeros++;
      if (Number.isNaN(x)) nan++;
      else if (!Number.isFinite(x)) infinite++;
      else {
        if (x < least) least = x;
        if (x > greatest) greatest = x;
        // Welford 1962: exact for tensors whose mean is far from zero.
        const step = x - mean;
        mean += step / ++count;
        squares += step * (x - mean);
      }
    }
  }
  const known = (value: number) => (count > 0 ? value : null);
  return {
    least: known(least),
    greatest: known(greatest),
    mean: known(mean),
    deviation: known(Math.sqrt(squares / Math.max(count, 1))),
    zeros,
    nan,
    infinite,
  };
}
