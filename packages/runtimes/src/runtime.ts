import type { DType, Source, Tensor } from '@drover/core';

/** An input or output as a loaded model declares it. */
export interface Signature {
  readonly name: string;
  /** Undefined when the runtime does not tell. */
  readonly dtype: DType | undefined;
  /**
   * A dimension that is free is its name, or null; undefined when the rank is free or the runtime
   * does not tell.
   */
  readonly shape: readonly (number | string | null)[] | undefined;
}

/** Something that runs models of one format. */
export interface Runtime {
  /** `reference`, `onnxruntime`, `tfjs`, `mxnet`. */
  readonly id: string;
  /**
   * Loads a model; its weights are found beside it, as the framework finds them. Throws
   * `runtimes/not-installed` and `runtimes/refused`, besides what reading throws.
   */
  load(source: Source): Promise<LoadedModel>;
}

/** A model that is ready to run. */
export interface LoadedModel {
  /** In the order that the model declares. */
  readonly inputs: readonly Signature[];
  readonly outputs: readonly Signature[];
  /**
   * Runs the model. Inputs go by the declared names; their values are cast to the declared type
   * where nothing but float precision is lost. Outputs come by name in declared order, as the
   * runtime gives them. Throws `runtimes/missing-input`, `runtimes/unknown-input`,
   * `runtimes/input-type`, `runtimes/input-shape` and `runtimes/failed`.
   */
  run(inputs: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>>;
  /** Frees what the runtime holds. The model cannot run afterwards. */
  dispose(): Promise<void>;
}
