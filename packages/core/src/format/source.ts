/** A half-open range of bytes: `offset` from the start of the file, `length` bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Bytes to read from: a file, a Blob, a URL, memory. */
export interface Source {
  /** How the user names it; also its base name for the rules by which frameworks find weights. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
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
