import type { Report } from '../diagnostics/report.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ModelFiles, OpenedModel } from './opened-model.js';

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

/**
 * Something that runs models. `M` is what it needs of one: a framework's own runtime reads the
 * files itself, and needs no format.
 */
export interface Runtime<M extends ModelFiles = OpenedModel> {
  /** Its name, as `onnxruntime`. */
  readonly id: string;
  /** Ids of the formats that it runs; undefined for one that runs whatever can be read. */
  readonly formats: readonly string[] | undefined;
  /**
   * Loads a model; `report` collects what reading it finds, where the runtime reads through its
   * format. Throws `runtimes/not-installed`, `runtimes/refused`, `runtimes/crashed` and
   * `runtimes/timed-out`, besides what reading throws.
   */
  load(model: M, report?: Report): Promise<LoadedModel>;
}

/** A model that is ready to run. */
export interface LoadedModel {
  /** In the order that the model declares. */
  readonly inputs: readonly Signature[];
  readonly outputs: readonly Signature[];
  /**
   * Runs the model. Inputs go by the declared names; their values are cast to the declared type
   * where nothing but float precision is lost. Outputs come by name in declared order, as the
   * runtime gives them. Throws `core/missing-input`, `core/unknown-input`, `core/input-type`,
   * `core/input-shape`, `runtimes/failed`, `runtimes/crashed` and `runtimes/timed-out`; after the
   * last two, each time it is called.
   */
  run(inputs: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>>;
  /** Frees what the runtime holds. The model cannot run afterwards. */
  dispose(): Promise<void>;
}

/** Whether a runtime runs models of a format. */
export function runsFormat({ formats }: Pick<Runtime, 'formats'>, format: string): boolean {
  return formats?.includes(format) ?? true;
}
