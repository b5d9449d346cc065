import {
  bytesOf,
  intRange,
  isFloat,
  sizeOf,
  type ByteHandle,
  type DType,
  type Tensor,
  type Weight,
} from '@drover/core';
import { convertElements, type ByteEncoding } from '@drover/core/format';
import { tfjsDiagnostics } from '../diagnostics.js';

/** A weight, and the type in which it is stored. */
export interface Storing {
  readonly name: string;
  readonly weight: Weight;
  readonly dtype: DType;
}

/**
 * Elements in the type to store. Reading them throws `tfjs/narrowing` for integers beyond 32 bits.
 */
export function storedAs({ name, weight, dtype }: Storing, file: string): ByteHandle {
  if (weight.dtype === dtype) return weight.handle;
  const narrow = (elements: Tensor): Tensor => {
    if (isFloat(dtype)) return { ...elements, dtype };
    const [least, most] = intRange(dtype)!;
    const data = Float64Array.from(elements.data as ArrayLike<number | bigint>, (each) => {
      if (each >= least && each <= most) return Number(each);
      throw tfjsDiagnostics.error('narrowing', {
        message: `${name} holds ${each}, which is no ${dtype}.`,
        origin: { file, node: name },
      });
    });
    return { dtype, shape: elements.shape, data };
  };
  const count = sizeOf(weight.shape);
  const encoding: ByteEncoding = {
    name: `${weight.dtype} as ${dtype}`,
    decode: (stored) => convertElements(stored, weight.dtype, count, narrow),
  };
  return weight.handle.decoded(encoding, bytesOf(dtype, count));
}
