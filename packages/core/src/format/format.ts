import type { DiagnosticCatalogue } from '../diagnostics/diagnostic.js';
import type { Report } from '../diagnostics/report.js';
import type { Checkpoint } from '../model/checkpoint.js';
import type { Model } from '../model/model.js';
import type { Options, OptionValues } from './option.js';
import type { Sink } from './sink.js';
import type { Source } from './source.js';
import type { TensorMapping } from './tensor-map.js';
import type { ValueMapping } from './value-map.js';

/** What a reader is given beside the source. */
export interface ReadContext<O extends Options = Options> {
  /** Collects findings; readers report what they cannot convert as foreign operators and go on. */
  readonly report: Report;
  readonly options: OptionValues<O>;
  /** The file that holds the weights, where the user names it. */
  readonly params?: Source | undefined;
}

/** What a writer is given beside what it writes. */
export interface WriteContext<O extends Options = Options> {
  readonly report: Report;
  readonly options: OptionValues<O>;
  /** Name of the main file to write; companions are named after it. */
  readonly path: string;
  /** Takes note of a written tensor. */
  tensor(mapping: TensorMapping): void;
  /** Takes note of a value of the source and of what holds it in the target. */
  value(mapping: ValueMapping): void;
}

/** What a file of a format can hold: graphs over their weights, or weights alone. */
export type Content = 'model' | 'checkpoint';

/** What a format can do with models. */
export interface ModelCapability<R extends Options, W extends Options> {
  /** Reads every graph that the source holds. */
  read?(source: Source, context: ReadContext<R>): Promise<Model>;
  /**
   * Writes a model. Throws a ConversionError with all findings before it creates a file if anything
   * has no faithful form.
   */
  write?(model: Model, sink: Sink, context: WriteContext<W>): Promise<void>;
  /**
   * Finds what `write` would refuse, without reading a weight or writing a byte. The model is not
   * changed.
   */
  plan?(model: Model, context: WriteContext<W>): Promise<void>;
}

/** What a format can do with checkpoints: weights without a graph. */
export interface CheckpointCapability<R extends Options, W extends Options> {
  /** Reads names and handles; no elements. */
  read?(source: Source, context: ReadContext<R>): Promise<Checkpoint>;
  write?(checkpoint: Checkpoint, sink: Sink, context: WriteContext<W>): Promise<void>;
}

/** The names by which files of a format go. `*` stands for any text at the start of a name. */
export interface FileNames {
  /** The main file's usual name: `model.onnx`. */
  readonly usual: string;
  /** Names that say the format to whoever writes one: `*.onnx`. */
  readonly any: readonly string[];
  /**
   * Names of the main file in a folder that is given as a model; where files of several stand
   * there, the first of these names counts.
   */
  readonly inFolder: readonly string[];
  /** Those of files of weights alone, where the format has models, too; they stand in `any`. */
  readonly checkpoint?: { readonly usual: string; readonly any: readonly string[] };
}

/**
 * What a format is without its code, so that a program can list formats and their options before it
 * loads one.
 */
export interface FormatAbout<R extends Options = Options, W extends Options = Options> {
  /** Its name in programs: `tfjs`. */
  readonly id: string;
  /** Its name for people: `TensorFlow.js`. */
  readonly title: string;
  readonly fileNames: FileNames;
  /** What reading and writing can be told. */
  readonly options: { readonly read: R; readonly write: W };
}

/** A format: what it is, and what it can read and write. Given to {@link convert} by the caller. */
export interface Format<
  R extends Options = Options,
  W extends Options = Options,
> extends FormatAbout<R, W> {
  /** The catalogues of what it can find. */
  readonly diagnostics: readonly DiagnosticCatalogue<string>[];
  /** What a file is, by content, never by name; parses nothing. undefined: not of this format. */
  detect(source: Source): Promise<Content | undefined>;
  /**
   * The other files that a model consists of, as paths relative to the folder of its main file.
   * Weights are not read, and the files need not be there.
   */
  files?(source: Source): Promise<readonly string[]>;
  readonly model?: ModelCapability<R, W>;
  readonly checkpoint?: CheckpointCapability<R, W>;
  /** Writes a file of this format again, losslessly: every name, weight bit and metadatum. */
  copy?(source: Source, sink: Sink, context: ReadContext<R> & WriteContext<W>): Promise<void>;
}

/** Whether a file's name, with or without folders, is one of a pattern of {@link FileNames}. */
export function isNamed(path: string, patterns: readonly string[]): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return patterns.some((pattern) =>
    pattern.startsWith('*') ? name.endsWith(pattern.slice(1)) : name === pattern,
  );
}
