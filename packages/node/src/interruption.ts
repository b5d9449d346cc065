/** Something unfinished on the file system that can be taken back synchronously. */
export interface Unfinished {
  discard(): void;
}

const unfinished = new Set<Unfinished>();

/** Makes {@link discardUnfinished} take this back. */
export function remember(output: Unfinished): void {
  unfinished.add(output);
}

/** Ends what {@link remember} began. */
export function forget(output: Unfinished): void {
  unfinished.delete(output);
}

/**
 * Takes back every output that is neither committed nor aborted: temporary files and new folders
 * go, replaced files return. Synchronous, for signal handlers: exit right afterwards, because
 * writes may still be under way.
 */
export function discardUnfinished(): void {
  for (const output of [...unfinished]) output.discard();
}
