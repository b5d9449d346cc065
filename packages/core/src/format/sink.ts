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
   * Publishes every closed file: those created first are published first, so a manifest is created
   * last.
   */
  commit(): Promise<void>;
  abort(): Promise<void>;
}
