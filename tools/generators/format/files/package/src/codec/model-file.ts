import { dtypes, type DType } from '@drover/core';
import type { JsonValue } from '@drover/core/format';

/** The version that is written, and the only one that is read. */
export const modelVersion = 1;

/** Element types of values: all but texts, whose sizes depend on what they say. */
export const storedTypes: ReadonlySet<DType> = new Set(
  dtypes.filter((dtype) => dtype !== 'string'),
);

/** An input of the graph. */
export interface FileInput {
  readonly name: string;
  readonly dtype: DType;
  /** Sizes, or the names of those that are free; undefined: not even the rank is stated. */
  readonly shape: readonly (number | string)[] | undefined;
}

/** A stored tensor: little-endian elements in C order from `offset` on in the weight file. */
export interface FileTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly offset: number;
}

/** One step of the graph. It takes and makes values by their names. */
export interface FileOperator {
  readonly type: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, JsonValue>;
}

/** An output of the graph: a value under the name that callers see. */
export interface FileOutput {
  readonly name: string;
  readonly value: string;
}

/** What a model file says. */
export interface ModelFile {
  readonly inputs: readonly FileInput[];
  readonly tensors: readonly FileTensor[];
  /** Each after those that make what it takes. */
  readonly operators: readonly FileOperator[];
  readonly outputs: readonly FileOutput[];
  readonly metadata: ReadonlyMap<string, string>;
}
