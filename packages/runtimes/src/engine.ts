import type { Signature } from '@drover/core';

// Engines are loaded alone in processes of their own, where all of core would take longer to load
// than the runtime: nothing here and in them imports more of core than types.

/**
 * A tensor on its way into a runtime or out of it: texts, or the canonical bytes (little-endian, C
 * order) of everything else.
 */
export interface RawTensor {
  /** One of Drover's types, unless the runtime has others. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array | readonly string[];
}

/** An input or output, with its type in the runtime's words. */
export interface RawSignature extends Omit<Signature, 'dtype'> {
  readonly dtype: string | undefined;
}

/** A file of a model: its path relative to the model's folder, and what it holds. */
export interface LoadedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A runtime with one model in it. */
export interface Engine {
  readonly inputs: readonly RawSignature[];
  readonly outputs: readonly RawSignature[];
  /**
   * Runs the model on inputs of the declared types. Outputs are those declared, in their order;
   * undefined is one that is no tensor. Throws an {@link EngineFailure}.
   */
  run(inputs: ReadonlyMap<string, RawTensor>): Promise<readonly (RawTensor | undefined)[]>;
  dispose(): Promise<void>;
}

/**
 * Gets an engine a package of its runtime, by its name or by what a bundler finds it by; `needed`
 * is all that the runtime needs.
 */
export type Peer = <T>(name: string, load: () => Promise<T>, needed?: string) => Promise<T>;

/**
 * What the module of an engine exports as `load`: the model's own files, the main one first, in a
 * runtime. Throws an {@link EngineFailure}.
 */
export type LoadEngine<Settings> = (
  files: readonly LoadedFile[],
  settings: Settings,
  peer: Peer,
) => Promise<Engine>;

/** What went wrong in a runtime, in its own words: an entry of the catalogue `runtimes/`. */
export class EngineFailure extends Error {
  override readonly name = 'EngineFailure';
  constructor(
    readonly kind: 'not-installed' | 'refused' | 'failed',
    message: string,
    readonly help?: string | undefined,
  ) {
    super(message);
  }
}

/** Loads an optional package of a runtime. The failure without it tells how to get it. */
export const importPeer: Peer = async (name, load, needed = name) => {
  try {
    return await load();
  } catch (error) {
    throw new EngineFailure(
      'not-installed',
      `${name} cannot be loaded: ${messageOf(error)}`,
      `Install it: npm install ${needed}`,
    );
  }
};

/** The text of whatever was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text =
    typeof error === 'object' && error !== null && 'message' in error
      ? String(error.message)
      : String(error);
  return text.replaceAll(/\s+/g, ' ').trim();
}
