import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { DiagnosticOrigin } from '../diagnostics/diagnostic.js';
import { allocateBytes } from './allocate-bytes.js';
import { checkRange, type ByteRange } from './byte-range.js';
import type { ByteSource } from './byte-source.js';
import { identityOf, merged, type Extent } from './extent.js';

/**
 * How stored bytes stand for other ones: compressed, in another byte order, as other numbers. Plain
 * little-endian C order is no encoding.
 */
export interface ByteEncoding {
  /** Tells it from others: two encodings of one name decode the same stored bytes alike. */
  readonly name: string;
  /**
   * The decoded bytes in order, in pieces of any size, from the stored ones, of which it takes as
   * many as it needs.
   */
  decode(stored: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

/** A sum over bytes that is known beforehand, as the CRC of an archive. */
export interface ByteCheck {
  /** Begins anew. `end` throws when what was added does not have the sum. */
  begin(): { add(bytes: Uint8Array): void; end(): void };
}

/** Where the bytes of a handle come from. */
type Content =
  | { readonly kind: 'memory'; readonly bytes: Uint8Array }
  | { readonly kind: 'range'; readonly source: ByteSource; readonly offset: number }
  | { readonly kind: 'join'; readonly parts: readonly ByteHandle[] }
  | { readonly kind: 'decoded'; readonly stored: ByteHandle; readonly encoding: ByteEncoding }
  | { readonly kind: 'computed'; readonly compute: () => AsyncIterable<Uint8Array> }
  | { readonly kind: 'part'; readonly of: ByteHandle; readonly offset: number };

/** Bytes of one piece where the caller asks for no other size. */
export const pieceBytes = 4 * 1024 * 1024;
/** What is longer is gathered from pieces, so that no source is asked for gigabytes at once. */
const maxReadBytes = 2 ** 30;

/**
 * Bytes to be read later, and how many they are. A handle is immutable and reads nothing before it
 * is asked to. What a handle gives is exactly `length` bytes, or an error: `core/content-size`
 * where what it stands for turns out to be longer or shorter, and those of its source and its
 * encoding. Arrays that it gives may be shared and are not to be changed.
 */
export class ByteHandle {
  private constructor(
    /** Number of bytes, known without reading. */
    readonly length: number,
    private readonly content: Content,
    private readonly check?: ByteCheck,
    /** The bytes, where they were read already. */
    private readonly held?: Uint8Array,
  ) {}

  /** A range of a source, up to its end unless told. Throws `core/range` when it leaves it. */
  static range(source: ByteSource, offset = 0, length = source.size - offset): ByteHandle {
    checkRange(source.name, source.size, { offset, length });
    return new ByteHandle(length, { kind: 'range', source, offset });
  }

  /** Bytes in memory. */
  static of(bytes: Uint8Array): ByteHandle {
    return new ByteHandle(bytes.length, { kind: 'memory', bytes });
  }

  /** The bytes of several handles, one after the other: shards. */
  static join(parts: readonly ByteHandle[]): ByteHandle {
    const [only, ...more] = parts.filter((part) => part.length > 0);
    if (more.length === 0) return only ?? ByteHandle.of(new Uint8Array(0));
    const all = [only!, ...more];
    const length = all.reduce((sum, part) => sum + part.length, 0);
    return new ByteHandle(length, { kind: 'join', parts: all });
  }

  /**
   * Content that is made when it is read, anew each time, in pieces of any size. Its length has to
   * be known.
   */
  static computed(length: number, compute: () => AsyncIterable<Uint8Array>): ByteHandle {
    return new ByteHandle(length, { kind: 'computed', compute });
  }

  /** What these bytes stand for in an encoding: `length` other ones. */
  decoded(encoding: ByteEncoding, length: number): ByteHandle {
    return new ByteHandle(length, { kind: 'decoded', stored: this, encoding });
  }

  /** The same bytes, summed up whenever all of them are read; a part of them is not checked. */
  checked(check: ByteCheck): ByteHandle {
    return new ByteHandle(this.length, this.content, check, this.held);
  }

  /** The same bytes of the same place, read now, so that {@link ByteHandle.peek} gives them. */
  async load(): Promise<ByteHandle> {
    if (this.isInMemory) return this;
    return new ByteHandle(this.length, this.content, this.check, await this.read());
  }

  /**
   * A part. Of a range it reads just that range; of decoded or computed content it has to go
   * through what comes before. Throws `core/range` when it leaves this handle.
   */
  slice(offset: number, length: number): ByteHandle {
    checkRange(this.origin.file, this.length, { offset, length });
    if (length === this.length) return this;
    const { content, held } = this;
    const part = held?.subarray(offset, offset + length);
    switch (content.kind) {
      case 'memory':
        return ByteHandle.of(content.bytes.subarray(offset, offset + length));
      case 'range':
      case 'part': {
        const within = { ...content, offset: content.offset + offset };
        return new ByteHandle(length, within, undefined, part);
      }
      case 'join':
        return ByteHandle.join(slicesOf(content.parts, offset, length));
      default:
        return new ByteHandle(length, { kind: 'part', of: this, offset }, undefined, part);
    }
  }

  /**
   * What follows the first bytes, which were read from it already: where the whole is checked, they
   * are taken into account.
   */
  after(head: Uint8Array): ByteHandle {
    const rest = this.slice(head.length, this.length - head.length);
    const { check } = this;
    if (!check || head.length === 0) return rest;
    return rest.checked({
      begin: () => {
        const sum = check.begin();
        sum.add(head);
        return sum;
      },
    });
  }

  /**
   * The bytes, or a range of them, in one array. Throws `core/limit` when they do not fit into one,
   * and `core/range` for a range that leaves this handle.
   */
  async read(range?: ByteRange): Promise<Uint8Array> {
    if (range) return this.slice(range.offset, range.length).read();
    const { length } = this;
    const known = this.peek();
    if (known) return known;
    let all: Uint8Array | undefined;
    let at = 0;
    for await (const piece of this.chunks(length > maxReadBytes ? pieceBytes : maxReadBytes)) {
      if (piece.length === length) all = piece;
      else (all ??= allocateBytes(length, 'Content', this.origin)).set(piece, at);
      at += piece.length;
    }
    return all ?? new Uint8Array(0);
  }

  /**
   * The bytes in order, in pieces of at most `maxBytes`. Memory: a piece, and what an encoding
   * holds.
   */
  async *chunks(maxBytes = pieceBytes): AsyncGenerator<Uint8Array> {
    const check = this.held ? undefined : this.check?.begin();
    let left = this.length;
    for await (const piece of this.#pieces(maxBytes)) {
      if (piece.length > left) throw this.#wrongSize('more');
      left -= piece.length;
      check?.add(piece);
      for (let at = 0; at < piece.length; at += maxBytes) yield piece.subarray(at, at + maxBytes);
    }
    if (left > 0) throw this.#wrongSize(`${this.length - left}`);
    check?.end();
  }

  async *#pieces(maxBytes: number): AsyncGenerator<Uint8Array> {
    const { content, length, held } = this;
    if (held) yield held;
    else if (content.kind === 'memory') yield content.bytes;
    else if (content.kind === 'range') {
      for (let at = 0; at < length; at += maxBytes) {
        const range = { offset: content.offset + at, length: Math.min(maxBytes, length - at) };
        const piece = await content.source.read(range);
        if (piece.length !== range.length) throw this.#wrongSize(`${at + piece.length}`);
        yield piece;
      }
    } else if (content.kind === 'join') {
      for (const part of content.parts) yield* part.chunks(maxBytes);
    } else if (content.kind === 'decoded') {
      yield* content.encoding.decode(content.stored.chunks(Math.min(maxBytes, pieceBytes)));
    } else if (content.kind === 'computed') yield* content.compute();
    else {
      let at = -content.offset;
      for await (const piece of content.of.chunks(Math.min(maxBytes, pieceBytes))) {
        if (at + piece.length > 0) yield piece.subarray(Math.max(0, -at), length - at);
        at += piece.length;
        if (at >= length) return;
      }
    }
  }

  /** Whether the bytes are in memory already, so that {@link ByteHandle.peek} gives them. */
  get isInMemory(): boolean {
    const { content, check, held } = this;
    if (held) return true;
    if (check) return false;
    if (content.kind === 'join') return content.parts.every((part) => part.isInMemory);
    return content.kind === 'memory';
  }

  /** The bytes if they are in memory. */
  peek(): Uint8Array | undefined {
    const { content, held } = this;
    if (held || !this.isInMemory) return held;
    if (content.kind === 'memory') return content.bytes;
    const { parts } = content as Content & { kind: 'join' };
    const all = allocateBytes(this.length, 'Content', this.origin);
    let at = 0;
    for (const part of parts) {
      all.set(part.peek()!, at);
      at += part.length;
    }
    return all;
  }

  /**
   * Tells where the bytes are, as text: two handles have the same one exactly when they are the
   * same bytes of the same place. Two places may well hold equal bytes.
   */
  get place(): string {
    return this.extents.map(({ of, offset, length }) => `${of}+${offset}:${length}`).join(' ');
  }

  /** Whether these are the same bytes of the same place, found without reading. */
  same(other: ByteHandle): boolean {
    return this === other || (this.length === other.length && this.place === other.place);
  }

  /** Whether a byte belongs to both, found without reading. */
  sharesBytes(other: ByteHandle): boolean {
    const others = other.extents;
    return this.extents.some((a) =>
      others.some(
        (b) => a.of === b.of && a.offset < b.offset + b.length && b.offset < a.offset + a.length,
      ),
    );
  }

  /** The stretches that the bytes are made of, in order, found without reading; none for none. */
  get extents(): readonly Extent[] {
    const { content, length } = this;
    if (length === 0) return [];
    switch (content.kind) {
      case 'memory':
        return [{ of: identityOf(content.bytes.buffer), offset: content.bytes.byteOffset, length }];
      case 'range':
        return [
          {
            of: identityOf(content.source.identity ?? content.source),
            offset: content.offset,
            length,
          },
        ];
      case 'decoded':
        return [{ of: `${content.encoding.name}(${content.stored.place})`, offset: 0, length }];
      case 'computed':
        return [{ of: identityOf(content.compute), offset: 0, length }];
      case 'part':
        // Only decoded and computed content is cut so: one stretch.
        return content.of.extents.map((extent) => ({ ...extent, offset: content.offset, length }));
      case 'join':
        return merged(content.parts.flatMap((part) => part.extents));
    }
  }

  /** Where the bytes, or what they are made from, begin, in the terms of findings. */
  get origin(): DiagnosticOrigin {
    const { content } = this;
    if (content.kind === 'range') return { file: content.source.name, offset: content.offset };
    if (content.kind === 'join') return content.parts[0]!.origin;
    if (content.kind === 'decoded') return content.stored.origin;
    return content.kind === 'part' ? content.of.origin : { file: '' };
  }

  #wrongSize(got: string) {
    return coreDiagnostics.error('content-size', {
      message: `Content of ${this.length} bytes gave ${got}.`,
      origin: this.origin,
    });
  }
}

/** The parts of a join that a range touches, cut to it. */
function slicesOf(parts: readonly ByteHandle[], offset: number, length: number): ByteHandle[] {
  const found: ByteHandle[] = [];
  let start = 0;
  for (const part of parts) {
    const from = Math.max(offset, start);
    const to = Math.min(offset + length, start + part.length);
    if (from < to) found.push(part.slice(from - start, to - from));
    start += part.length;
  }
  return found;
}
