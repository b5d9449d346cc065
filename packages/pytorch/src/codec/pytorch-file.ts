import type { Diagnostic, TensorRole } from '@drover/core';
import type { PickleValue } from './pickle/pickle-value.js';
import type { Storages } from './storages.js';
import type { TensorView } from './view-weight.js';

/** How a file was written. */
export type PytorchContainer = 'zip' | 'legacy' | 'pickle' | 'torchscript' | 'exported-program';

/** A tensor that a file stores by name, beside any pickle. */
export interface NamedView {
  readonly name: string;
  readonly view: TensorView;
  readonly role: TensorRole;
}

/** What a file holds below a name. */
export interface PytorchPart {
  /** The names that stand before those of its tensors. */
  readonly path: readonly string[];
  /** What its tensors are for; told by their names where it is absent. */
  readonly role?: TensorRole;
  readonly content:
    | { readonly kind: 'pickle'; readonly value: PickleValue; readonly storages: Storages }
    | { readonly kind: 'tensors'; readonly tensors: readonly NamedView[] };
}

/** A file of PyTorch's, read as data: nothing in it was run. */
export interface PytorchFile {
  readonly container: PytorchContainer;
  /** What the file says of its version, by the names of its records. */
  readonly versions: Readonly<Record<string, string>>;
  readonly parts: readonly PytorchPart[];
  /** What was left out. */
  readonly notes: readonly Diagnostic[];
}
