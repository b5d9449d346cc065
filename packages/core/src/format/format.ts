import type { Report } from '../diagnostics/report.js';
import type { Model } from '../graph/model.js';
import type { Sink } from './sink.js';
import type { Source } from './source.js';

/** What a reader is given beside the source. */
export interface ReadContext {
  /** Collects findings; readers report what they cannot convert as foreign operators and go on. */
  readonly report: Report;
  /** The file that holds the weights, where the user names it. */
  readonly params?: Source | undefined;
}

/** Wishes for what is written; a format that cannot meet one reports it as an error. */
export interface WriteOptions {
  /** Operator set version to write (ONNX). */
  readonly opset?: number | undefined;
  /** Layout of the image inputs of the result; the source's when absent. */
  readonly inputLayout?: 'nchw' | 'nhwc' | undefined;
  /** Storage of float weights (TF.js). */
  readonly quantize?: 'f16' | 'u8' | 'u16' | undefined;
  /** Largest size of a weight file in bytes (TF.js). */
  readonly shardSize?: number | undefined;
}

/**
 * One line of the tensor map: which stored tensor of the source a tensor of the target holds, and
 * by which steps.
 */
export interface TensorMapping {
  readonly source: string;
  readonly target: string;
  readonly transform: string;
}

/** What a writer is given beside the model. */
export interface WriteContext {
  readonly report: Report;
  readonly options: WriteOptions;
  /** Name of the main file to write; companions are named after it. */
  readonly path: string;
  /** Takes note of a written tensor. */
  tensor(mapping: TensorMapping): void;
}

/**
 * A model format: an object, given to {@link convert} by the caller. `write` throws a
 * ConversionError with all findings before it creates a file if anything has no faithful form.
 */
export interface Format {
  readonly id: string;
  /** Usual name of the main file, as `model.onnx`. */
  readonly fileName: string;
  /** By content, never by name; parses nothing. */
  detect(source: Source): Promise<boolean>;
  /**
   * The other files that a model consists of, as paths relative to the folder of its main file.
   * Weights are not read, and the files need not be there.
   */
  files?(source: Source): Promise<readonly string[]>;
  read(source: Source, context: ReadContext): Promise<Model>;
  write(model: Model, sink: Sink, context: WriteContext): Promise<void>;
  /**
   * Finds what `write` would refuse, without reading a weight or writing a byte. The model is not
   * changed.
   */
  plan(model: Model, context: WriteContext): Promise<void>;
  /**
   * Writes a model of this format again, losslessly: every name, weight bit and metadatum is kept.
   */
  copy(source: Source, sink: Sink, context: ReadContext & WriteContext): Promise<void>;
}
