import type { ByteRange } from './byte-range.js';

/** Bytes to read from: a file, a Blob, a URL, memory. */
export interface ByteSource {
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
}
