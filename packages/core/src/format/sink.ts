/** A file being written. */
export interface SinkFile {
  /**
   * Appends bytes. They are consumed before the promise settles, so the caller may reuse the array.
   */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/**
 * A place to write a model's files to. Nothing is visible under its final name before `commit`, and
 * `abort` leaves what stood there before. Paths are relative with `/` and never leave the place.
 */
export interface Sink {
  create(path: string): Promise<SinkFile>;
  /**
   * Names of the files that stand in the folder of `path` and stay there after `commit`, for
   * formats whose readers find weights by their names alone. Absent where a place cannot hold
   * anything before.
   */
  standing?(path: string): Promise<readonly string[]>;
  /**
   * Publishes every closed file: those created first are published first, so a manifest is created
   * last.
   */
  commit(): Promise<void>;
  abort(): Promise<void>;
}
