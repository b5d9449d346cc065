import type { DType, Graph, Signature } from '@drover/core';

/** An input to make values for. */
export interface InputSpec {
  readonly name: string;
  readonly dtype: DType;
  /** A free dimension is its symbol, or null; those of one symbol are equal. */
  readonly shape: readonly (number | string | null)[];
  /**
   * Integers are drawn from 0 up to this number, exclusive (a vocabulary, a number of classes); 2
   * unless told, which suits masks and every vocabulary.
   */
  readonly below?: number;
}

/** The inputs as a runtime declares them, with what it leaves open as the model's graph has it. */
export function inputSpecs(declared: readonly Signature[], { inputs }: Graph): InputSpec[] {
  return declared.map(({ name, dtype, shape }, i) => {
    const value = inputs.find((input) => input.name === name) ?? inputs[i];
    const known = value?.shape?.map((dim) => (typeof dim === 'number' ? dim : dim.key));
    return { name, dtype: dtype ?? value?.dtype ?? 'float32', shape: shape ?? known ?? [] };
  });
}
