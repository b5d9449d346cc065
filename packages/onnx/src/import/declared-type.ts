import { symbol, type Dim, type DType, type Shape } from '@drover/core';
import { dimName } from '@drover/core/format';
import type { ValueInfoProto } from '../schema/onnx.js';
import { dtypeOf } from '../codec/data-type.js';
import { onnxDiagnostics } from '../diagnostics.js';

/**
 * Type and shape that a file declares for a value; undefined for sequences, maps, optionals and
 * where nothing is declared.
 */
export function declaredType(
  info: ValueInfoProto,
  file: string,
): { dtype: DType; shape: Shape | undefined } | undefined {
  const type = info.type?.tensorType;
  if (type?.elemType === undefined) return undefined;
  const dtype = dtypeOf(type.elemType);
  if (!dtype)
    throw onnxDiagnostics.error('tensor-dtype', {
      message: `${info.name} has the element type ${type.elemType}.`,
      origin: { file },
    });
  const shape = type.shape?.dim ?? (type.shape ? [] : undefined);
  return {
    dtype,
    shape: shape?.map((dim, axis): Dim => {
      if (dim.dimValue === undefined)
        return symbol(dimName(dim.dimParam || `${info.name}_${axis}`));
      const size = Number(dim.dimValue);
      // Some exporters write 0 or -1 for a dimension that is not known.
      if (size < 0) return symbol(dimName(`${info.name}_${axis}`));
      return size;
    }),
  };
}
