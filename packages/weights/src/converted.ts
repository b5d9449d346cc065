import { toNumbers, type DType, type Report, type Weight } from '@drover/core';
import { holdsEvery } from '@drover/core/format';
import { weightsDiagnostics } from './diagnostics.js';

/**
 * A weight in a type; where that rounds its elements, the largest error is told. Elements are read
 * only then.
 */
export async function convertedTo(
  weight: Weight,
  dtype: DType,
  name: string,
  report: Report,
): Promise<Weight> {
  if (weight.dtype === dtype) return weight;
  const converted = weight.cast(dtype);
  if (holdsEvery(dtype, weight.dtype)) return converted;
  const [exact, rounded] = await Promise.all([weight.tensor(), converted.tensor()]);
  const [before, after] = [toNumbers(exact), toNumbers(rounded)];
  let error = 0;
  for (let i = 0; i < before.length; i++) {
    const off = Math.abs(before[i]! - after[i]!);
    if (off > error) error = off;
  }
  if (error > 0)
    report.add(
      weightsDiagnostics.diagnostic('narrowed', {
        message: `${name} is ${weight.dtype} in the source and ${dtype} in the target; elements differ by up to ${error.toPrecision(3)}.`,
        origin: { file: '', node: name },
      }),
    );
  return converted;
}
