/**
 * Bytes passed through a stream of the platform, piece by piece. What reading `pieces` throws is
 * thrown on as it is; where the stream refuses them, `refused` makes the error.
 */
export async function* transformed(
  pieces: AsyncIterable<Uint8Array>,
  stream: CompressionStream | DecompressionStream,
  refused: () => Error,
): AsyncGenerator<Uint8Array> {
  const writer = stream.writable.getWriter();
  const reader = (stream.readable as ReadableStream<Uint8Array>).getReader();
  let failed: { readonly cause: unknown } | undefined;
  const feed = async (): Promise<void> => {
    const iterator = pieces[Symbol.asyncIterator]();
    for (;;) {
      let next: IteratorResult<Uint8Array>;
      try {
        next = await iterator.next();
      } catch (cause) {
        failed = { cause };
        return writer.abort(cause);
      }
      if (next.done) return writer.close();
      try {
        await writer.write(next.value as Uint8Array<ArrayBuffer>);
      } catch (error) {
        await iterator.return?.();
        throw error;
      }
    }
  };
  const feeding = feed();
  // Where the stream fails, reading from it tells.
  feeding.catch(() => {});
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
    await feeding;
  } catch {
    throw failed ? failed.cause : refused();
  } finally {
    await reader.cancel().catch(() => {});
  }
}
