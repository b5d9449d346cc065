import type { ByteSource } from '../bytes/byte-source.js';

/** Bytes to read from, and the files beside them: a file, a Blob, a URL, memory. */
export interface Source extends ByteSource {
  /**
   * Opens a file of the same folder by a relative path with `/`. Never leaves the folder: absolute
   * paths, `..`, links out and NUL are `malformed`.
   */
  sibling(path: string): Promise<Source>;
  /** Names of the files in the same folder (not below it), sorted. */
  siblings(): Promise<readonly string[]>;
}
