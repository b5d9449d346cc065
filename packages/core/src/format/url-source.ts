import { checkRange, type ByteRange } from '../bytes/byte-range.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { checkPath } from './memory.js';
import type { Source } from './source.js';

/** How a file is fetched. */
export interface UrlOptions {
  /** In place of the platform's own: one that adds credentials, say. */
  readonly fetch?: typeof fetch;
}

/** What is smaller is read with what is around it: headers are many and small. */
const blockBytes = 2 ** 16;
const keptBlocks = 16;

/**
 * Opens a file behind a URL for reading by ranges (RFC 9110, section 14): but for its first byte,
 * nothing is fetched before it is asked for. `sibling` stays in the folder of the URL, whose query
 * counts for the file alone; `siblings` is empty, because no server lists them. Throws
 * `core/missing-file`, and `core/not-fetched` where the server gives no ranges or does not tell how
 * large the file is; in a browser, where it does not let other sites read that. So does reading
 * when the file has changed.
 */
export async function openUrl(url: string | URL, options: UrlOptions = {}): Promise<Source> {
  const file = new RemoteFile(new URL(url), options.fetch ?? fetch);
  const first = await file.get(0, 1);
  await first.arrayBuffer();
  if (first.status === 416) return sourceOf(file, 0, options);
  const said = first.headers.get('content-range') ?? '';
  const size = Number(/^bytes 0-0\/(\d+)$/.exec(said)?.[1]);
  if (!Number.isSafeInteger(size))
    throw file.failure('the server does not tell how large the file is (Content-Range)');
  file.tag = first.headers.get('etag');
  return sourceOf(file, size, options);
}

/** A file on a server. */
class RemoteFile {
  /** What the server says of the file's version, if it does. */
  tag: string | null = null;

  constructor(
    readonly url: URL,
    readonly fetch: typeof globalThis.fetch,
  ) {}

  get name(): string {
    return this.url.origin + this.url.pathname;
  }

  failure(why: string) {
    return coreDiagnostics.error('not-fetched', {
      message: `${this.name}: ${why}.`,
      origin: { file: this.name },
    });
  }

  async get(offset: number, length: number): Promise<Response> {
    const headers = { range: `bytes=${offset}-${offset + length - 1}` };
    const { fetch } = this;
    const response = await fetch(this.url, { headers }).catch((error: unknown) => {
      throw this.failure(error instanceof Error ? error.message : String(error));
    });
    if (response.status === 206 || response.status === 416) return response;
    await response.body?.cancel();
    if (response.status === 404)
      throw coreDiagnostics.error('missing-file', {
        message: `There is no file ${this.name}.`,
        origin: { file: this.name },
      });
    throw this.failure(
      response.ok
        ? 'the server gives the whole file and no ranges of it'
        : `the server answers ${response.status} ${response.statusText}`.trim(),
    );
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const response = await this.get(offset, length);
    if (this.tag !== null && response.headers.get('etag') !== this.tag)
      throw this.failure('the file has changed since it was opened');
    const bytes = new Uint8Array(
      await response.arrayBuffer().catch((error: unknown) => {
        throw this.failure(error instanceof Error ? error.message : String(error));
      }),
    );
    if (response.status !== 206 || bytes.length !== length)
      throw this.failure(`${length} bytes at ${offset} were asked for, ${bytes.length} came`);
    return bytes;
  }
}

function sourceOf(file: RemoteFile, size: number, options: UrlOptions): Source {
  const { name, url } = file;
  const blocks = new Map<number, Promise<Uint8Array>>();
  const blockAt = (start: number) => {
    const block = blocks.get(start) ?? file.read(start, Math.min(blockBytes, size - start));
    // The one that was asked for last is the last to go.
    blocks.delete(start);
    blocks.set(start, block);
    for (const key of blocks.keys()) if (blocks.size > keptBlocks) blocks.delete(key);
    block.catch(() => blocks.delete(start));
    return block;
  };
  return {
    name,
    size,
    identity: url.href,
    async read(range: ByteRange = { offset: 0, length: size }) {
      checkRange(name, size, range);
      const { offset, length } = range;
      if (length === 0) return new Uint8Array(0);
      const within = offset % blockBytes;
      if (within + length > blockBytes) return file.read(offset, length);
      return (await blockAt(offset - within)).subarray(within, within + length);
    },
    sibling: (path) => {
      const parts = checkPath(path, name).split('/').map(encodeURIComponent);
      return openUrl(new URL(`./${parts.join('/')}`, url), options);
    },
    siblings: async () => [],
  };
}
