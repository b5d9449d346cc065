import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { DroverError } from '../diagnostics/diagnostic.js';
import { intRange, isFloat, isInt, type DType } from '../tensor/dtype.js';
import { asStored, tensor, toNumbers, type Tensor } from '../tensor/tensor.js';
import type { Signature } from './runtime.js';

/**
 * The inputs of a model in declared order and type. A value is cast only when it stays the same,
 * float precision apart: 3.0 becomes an integer, 3.5 does not, an int64 becomes int32 within its
 * range. Throws `core/missing-input`, `core/unknown-input`, `core/input-type`,
 * `core/input-shape`.
 */
export function fitInputs(
  declared: readonly Signature[],
  given: ReadonlyMap<string, Tensor>,
  file: string,
): Map<string, Tensor> {
  const error = (name: 'missing-input' | 'unknown-input', input: string) => {
    const what = name === 'missing-input' ? 'is not given' : 'is not one of the model';
    const names = declared.map((signature) => JSON.stringify(signature.name)).join(', ');
    return coreDiagnostics.error(name, {
      message: `The input ${JSON.stringify(input)} ${what}. The model declares ${names}.`,
      origin: { file },
    });
  };
  for (const name of given.keys())
    if (!declared.some((signature) => signature.name === name)) throw error('unknown-input', name);
  const fitted = new Map<string, Tensor>();
  for (const signature of declared) {
    const value = given.get(signature.name);
    if (value === undefined) throw error('missing-input', signature.name);
    checkShape(signature, value, file);
    fitted.set(
      signature.name,
      signature.dtype === undefined ? value : cast(value, signature.dtype, signature.name, file),
    );
  }
  return fitted;
}

/** Whether a shape is one that a value is declared to have. */
export function fitsShape(declared: Signature['shape'], shape: readonly number[]): boolean {
  if (declared === undefined) return true;
  return (
    declared.length === shape.length &&
    declared.every((dim, axis) => typeof dim !== 'number' || dim === shape[axis])
  );
}

function checkShape({ name, shape }: Signature, value: Tensor, file: string): void {
  if (shape === undefined || fitsShape(shape, value.shape)) return;
  const wanted = shape.map((dim) => dim ?? '?').join(', ');
  const message = `The input ${JSON.stringify(name)} has the shape [${value.shape.join(', ')}], and the model declares [${wanted}].`;
  throw coreDiagnostics.error('input-shape', { message, origin: { file } });
}

function cast(value: Tensor, dtype: DType, name: string, file: string): Tensor {
  if (value.dtype === dtype) return value;
  const refuse = (why: string): DroverError =>
    coreDiagnostics.error('input-type', {
      message: `The input ${JSON.stringify(name)} is ${value.dtype}, and the model declares ${dtype}: ${why}.`,
      origin: { file },
    });
  if (value.dtype === 'string' || dtype === 'string')
    throw refuse('text and numbers are never cast');
  if (value.dtype.startsWith('complex') || dtype.startsWith('complex'))
    throw refuse('complex numbers are never cast');
  if (isFloat(value.dtype) && isFloat(dtype)) return rounded(value, dtype, refuse);
  const range = dtype === 'bool' ? ([0n, 1n] as const) : intRange(dtype);
  const data = value.data as Float64Array | BigInt64Array | BigUint64Array | Uint8Array;
  for (const element of data) {
    if (typeof element === 'number' && isInt(dtype) && !Number.isInteger(element))
      throw refuse(`${element} is not an integer`);
    if (typeof element === 'bigint' && isFloat(dtype) && BigInt(Number(element)) !== element)
      throw refuse(`${element} would be rounded`);
    if (range && (element < range[0] || element > range[1] || element !== element))
      throw refuse(`${element} is out of range`);
  }
  if (isFloat(dtype))
    return rounded({ ...value, dtype: 'float64', data: toNumbers(value) }, dtype, refuse, true);
  return tensor(dtype, value.shape, data);
}

/** As the float type holds it; with `exactly`, an integer that it does not hold is refused. */
function rounded(
  value: Tensor,
  dtype: DType,
  refuse: (why: string) => DroverError,
  exactly = false,
): Tensor {
  const from = toNumbers(value);
  const out = asStored({ dtype, shape: value.shape, data: from });
  const to = toNumbers(out);
  for (let i = 0; i < from.length; i++) {
    if (Number.isFinite(from[i]) && !Number.isFinite(to[i])) throw refuse(`${from[i]} overflows`);
    if (exactly && from[i] !== to[i]) throw refuse(`${from[i]} would be rounded`);
  }
  return out;
}
