import type { ByteRange } from '../bytes/byte-range.js';

/** Bytes to read from: a file, a Blob, a URL, memory. */
export interface Source {
  /** How the user names it; also its base name for the rules by which frameworks find weights. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /**
   * Tells which bytes these are: sources of one identity (`===`) read the same ones, as a file that
   * was opened twice. Without it, each source is taken for its own.
   */
  readonly identity?: string | object;
  /**
   * Reads a range, or everything. Throws a `malformed` DroverError when the range leaves the file.
   */
  read(range?: ByteRange): Promise<Uint8Array>;
  /**
   * Opens a file of the same folder by a relative path with `/`. Never leaves the folder: absolute
   * paths, `..`, links out and NUL are `malformed`.
   */
  sibling(path: string): Promise<Source>;
  /** Names of the files in the same folder (not below it), sorted. */
  siblings(): Promise<readonly string[]>;
}
