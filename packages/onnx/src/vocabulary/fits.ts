import type { DType } from '@drover/core';
import { dataTypeOf } from '../codec/data-type.js';
import { operatorTypes } from '../schema/operator-types.js';

const maskOf = (masks: readonly number[], i: number) => masks[Math.min(i, masks.length - 1)] ?? 0;

/**
 * Why an operator cannot have operands or results of these element types in a version of the
 * operator set; undefined when it can. Types that are undefined pass.
 */
export function misfit(
  opType: string,
  opset: number,
  inputs: readonly (DType | undefined)[],
  outputs: readonly (DType | undefined)[],
): string | undefined {
  const versions = operatorTypes.get(opType)?.filter(([since]) => since <= opset);
  const version = versions?.at(-1);
  if (!version) return undefined;
  const wrong = (dtypes: readonly (DType | undefined)[], masks: readonly number[]) =>
    dtypes.find(
      (dtype, i) =>
        dtype !== undefined &&
        maskOf(masks, i) !== 0 &&
        (maskOf(masks, i) & (1 << dataTypeOf(dtype))) === 0,
    );
  const input = wrong(inputs, version[1]);
  if (input) return `ONNX's ${opType} takes no ${input} in operator set ${opset}`;
  const output = wrong(outputs, version[2]);
  return output && `ONNX's ${opType} gives no ${output} in operator set ${opset}`;
}
