import { bitsOf, isFloat, isInt, type DType } from './dtype.js';

/** Bits of the integers that a type holds without a gap, the sign not counted. */
function integerBits(dtype: DType): number {
  const mantissa: Partial<Record<DType, number>> = {
    float64: 53,
    float32: 24,
    float16: 11,
    bfloat16: 8,
    bool: 1,
  };
  return mantissa[dtype] ?? (isInt(dtype) ? bitsOf(dtype) - (dtype.startsWith('u') ? 0 : 1) : 0);
}

/** Floats whose every value each later one holds. */
const widerFloats: Partial<Record<DType, readonly DType[]>> = {
  float16: ['float32', 'float64'],
  bfloat16: ['float32', 'float64'],
  float32: ['float64'],
};

/** Whether a type holds every value of another, payloads of NaNs aside. */
export function holdsEvery(dtype: DType, from: DType): boolean {
  if (dtype === from) return true;
  if (isFloat(from)) return widerFloats[from]?.includes(dtype) === true;
  if (!isInt(from) && from !== 'bool') return false;
  const isSigned = isInt(from) && !from.startsWith('u');
  const isUnsigned = dtype.startsWith('u') || dtype === 'bool';
  return !(isSigned && isUnsigned) && integerBits(dtype) >= integerBits(from);
}
