import { addDim, mulDim, subDim, type Shape } from '../tensor/dim.js';
import { extent, type Layout } from './window.js';

/** What a transposed convolution states beside its operands. */
export interface TransposedConvolution {
  readonly layout: Layout;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
  readonly outputPadding: readonly number[];
  readonly groups: number;
}

/** Spatial sizes of the result where they follow from the operands. */
export function transposedSizes(
  input: Shape,
  kernel: Shape,
  { strides, dilations, pads, outputPadding }: TransposedConvolution,
): Shape {
  return input.map((size, i) => {
    const whole = addDim(mulDim(subDim(size, 1), strides[i]!), extent(kernel[i]!, dilations[i]!));
    return addDim(whole, outputPadding[i]! - pads[i]! - pads[i + input.length]!);
  });
}
