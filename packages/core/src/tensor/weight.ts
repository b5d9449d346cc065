import { ByteHandle, pieceBytes } from '../bytes/byte-handle.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { bitsOf, bytesOf, type DType } from './dtype.js';
import { decodeTensor, encodeTensor, sizeOf, type Tensor } from './tensor.js';
import {
  applyStep,
  conversion,
  convertElements,
  joinElements,
  type WeightStep,
} from './weight-step.js';

/**
 * How many parts a weight may be joined from, those of its parts counted: a short file that joins a
 * tensor with itself again and again asks for more than can be walked.
 */
export const maxParts = 16_384;

/** Where a weight's elements come from. */
export type WeightContent =
  | { readonly kind: 'stored'; readonly name: string | undefined; readonly bytes: ByteHandle }
  | { readonly kind: 'step'; readonly of: Weight; readonly step: WeightStep }
  | { readonly kind: 'concat'; readonly parts: readonly Weight[]; readonly axis: number }
  /** What an operator made of constants when they were folded, and from which. */
  | {
      readonly kind: 'computed';
      readonly op: string;
      readonly parts: readonly Weight[];
      readonly bytes: ByteHandle;
      /** Computes the same from other parts, where that is known. */
      readonly from?: ((parts: readonly Weight[]) => Weight) | undefined;
    }
  /** Several that were found to be equal; the elements are those of the first. */
  | { readonly kind: 'merged'; readonly parts: readonly [Weight, ...Weight[]] };

/**
 * A handle to constant elements: type and shape are known, the elements are read only when asked
 * for. A handle is immutable; each method that changes something gives a new handle over the old
 * one.
 */
export class Weight {
  /** How many parts it is joined from; 1 for what is no join. */
  readonly partCount: number;

  private constructor(
    readonly dtype: DType,
    readonly shape: readonly number[],
    /** What it is made of: the expression that the tensor map tells. */
    readonly content: WeightContent,
  ) {
    this.partCount =
      content.kind === 'stored' || content.kind === 'computed'
        ? 1
        : content.kind === 'step'
          ? content.of.partCount
          : content.parts.reduce((sum, part) => sum + part.partCount, 0);
  }

  /**
   * Elements that stand somewhere, in the canonical encoding (see `decodeTensor`); `name` is the
   * source's name for them if they come from one. Throws `core/range` when they are more or fewer
   * bytes than type and shape ask for.
   */
  static stored(
    dtype: DType,
    shape: readonly number[],
    name: string | undefined,
    bytes: ByteHandle,
  ): Weight {
    if (dtype !== 'string' && bytes.length !== bytesOf(dtype, sizeOf(shape))) {
      throw coreDiagnostics.error('range', {
        message: `${bytes.length} bytes are not ${dtype}[${shape.join(', ')}].`,
        origin: { ...bytes.origin, ...(name !== undefined && { node: name }) },
      });
    }
    return new Weight(dtype, shape, { kind: 'stored', name, bytes });
  }

  /** Elements in memory, in the canonical encoding; see {@link Weight.stored}. */
  static of(dtype: DType, shape: readonly number[], bytes: Uint8Array, name?: string): Weight {
    return Weight.stored(dtype, shape, name, ByteHandle.of(bytes));
  }

  /** Elements of a tensor in memory. */
  static from(tensor: Tensor, name?: string): Weight {
    return Weight.of(tensor.dtype, tensor.shape, encodeTensor(tensor), name);
  }

  /** What an operator made of constants: elements in memory, and what they were computed from. */
  static computed(tensor: Tensor, op: string, parts: readonly Weight[]): Weight {
    const bytes = ByteHandle.of(encodeTensor(tensor));
    return new Weight(tensor.dtype, tensor.shape, { kind: 'computed', op, parts, bytes });
  }

  /**
   * What an operator will make of constants: computed whenever the elements are read. `compute`
   * takes these parts, or others in their places.
   */
  static computedLater(
    type: { readonly dtype: DType; readonly shape: readonly number[] },
    op: string,
    parts: readonly Weight[],
    compute: (parts: readonly Weight[]) => Promise<Tensor>,
  ): Weight {
    const { dtype, shape } = type;
    const bytes = ByteHandle.computed(bytesOf(dtype, sizeOf(shape)), async function* () {
      yield encodeTensor(await compute(parts));
    });
    const from = (others: readonly Weight[]) => Weight.computedLater(type, op, others, compute);
    return new Weight(dtype, shape, { kind: 'computed', op, parts, bytes, from });
  }

  /**
   * The same elements, which stand for those of an equal weight, too: both are in the tensor map.
   * Itself where the other one has no name of its own.
   */
  mergedWith(equal: Weight): Weight {
    const names = new Set(this.origins.map(({ name }) => name));
    return equal.origins.every(({ name }) => names.has(name))
      ? this
      : new Weight(this.dtype, this.shape, { kind: 'merged', parts: [this, equal] });
  }

  /**
   * Weights joined along an axis, in order. They have one dtype and agree in every other dimension.
   * Throws `core/invalid-shape` where they do not, and `core/limit` for more than 16,384.
   */
  static concat(parts: readonly Weight[], axis: number): Weight {
    const [first, ...rest] = parts;
    if (
      !first ||
      rest.some(
        (w) =>
          w.dtype !== first.dtype ||
          w.shape.length !== first.shape.length ||
          w.shape.some((d, i) => i !== axis && d !== first.shape[i]),
      )
    ) {
      throw coreDiagnostics.error('invalid-shape', {
        message: `Cannot join ${parts.map((w) => `${w.dtype}[${w.shape.join(', ')}]`).join(' and ')} along axis ${axis}.`,
        origin: { file: '' },
      });
    }
    if (rest.length === 0) return first;
    const count = parts.reduce((sum, part) => sum + part.partCount, 0);
    if (count > maxParts)
      throw coreDiagnostics.error('limit', {
        message: `A constant is joined from ${count} parts; up to ${maxParts} are taken.`,
        origin: { file: '' },
      });
    const shape = first.shape.map((dim, i) =>
      i === axis ? parts.reduce((sum, w) => sum + w.shape[axis]!, 0) : dim,
    );
    return new Weight(first.dtype, shape, { kind: 'concat', parts, axis });
  }

  /** Dimension i of the result is dimension perm[i] of this. */
  transpose(perm: readonly number[]): Weight {
    if (
      perm.length !== this.shape.length ||
      !perm.toSorted((a, b) => a - b).every((p, i) => p === i)
    ) {
      throw coreDiagnostics.error('invalid-shape', {
        message: `[${perm.join(', ')}] does not permute [${this.shape.join(', ')}].`,
        origin: { file: '' },
      });
    }
    if (perm.every((p, i) => p === i)) return this;
    if (this.content.kind === 'step' && this.content.step.kind === 'transpose') {
      const inner = this.content.step.perm;
      return this.content.of.transpose(perm.map((p) => inner[p]!));
    }
    return this.#step(
      this.dtype,
      perm.map((p) => this.shape[p]!),
      { kind: 'transpose', perm },
    );
  }

  /** The same elements in the same order under another shape of equal size. */
  reshape(shape: readonly number[]): Weight {
    if (sizeOf(shape) !== sizeOf(this.shape)) {
      throw coreDiagnostics.error('invalid-shape', {
        message: `[${this.shape.join(', ')}] cannot become [${shape.join(', ')}].`,
        origin: { file: '' },
      });
    }
    if (shape.length === this.shape.length && shape.every((d, i) => d === this.shape[i]))
      return this;
    if (this.content.kind === 'step' && this.content.step.kind === 'reshape')
      return this.content.of.reshape(shape);
    return this.#step(this.dtype, shape, { kind: 'reshape', shape });
  }

  /** `size` slices from `start` on along one axis. */
  slice(axis: number, start: number, size: number): Weight {
    if (start === 0 && size === this.shape[axis]) return this;
    if (
      start < 0 ||
      size < 0 ||
      !Number.isInteger(start) ||
      !Number.isInteger(size) ||
      !(start + size <= this.shape[axis]!)
    ) {
      throw coreDiagnostics.error('invalid-shape', {
        message: `No ${size} slices from ${start} in [${this.shape.join(', ')}].`,
        origin: { file: '' },
      });
    }
    return this.#step(
      this.dtype,
      this.shape.map((d, i) => (i === axis ? size : d)),
      { kind: 'slice', axis, start, size },
    );
  }

  /** The order of slices along one axis turned round. */
  reverse(axis: number): Weight {
    return this.#step(this.dtype, this.shape, { kind: 'reverse', axis });
  }

  /**
   * Equal blocks along an axis in another order: block i of the result is block order[i] of this.
   * Recurrent gates move so.
   */
  permuteBlocks(axis: number, order: readonly number[]): Weight {
    const size = this.shape[axis]! / order.length;
    return order.every((block, i) => block === i)
      ? this
      : Weight.concat(
          order.map((block) => this.slice(axis, block * size, size)),
          axis,
        );
  }

  /** Elements converted to another type: float to nearest, ties to even; to integers truncated. */
  cast(dtype: DType): Weight {
    return dtype === this.dtype ? this : this.#step(dtype, this.shape, { kind: 'cast', dtype });
  }

  /** Stored codes q taken as q * scale + offset. */
  affine(dtype: DType, scale: number, offset: number): Weight {
    return this.#step(dtype, this.shape, { kind: 'affine', dtype, scale, offset });
  }

  #step(dtype: DType, shape: readonly number[], step: WeightStep): Weight {
    return new Weight(dtype, shape, { kind: 'step', of: this, step });
  }

  /** Whether the elements are in memory already, so that {@link Weight.peek} gives them. */
  get isInMemory(): boolean {
    return this.#standing().every((handle) => handle.isInMemory);
  }

  /**
   * The elements if they are in memory; readers keep small tensors there, so that shape arithmetic
   * needs no reads.
   */
  peek(): Tensor | undefined {
    if (!this.isInMemory) return undefined;
    return decodeTensor(
      this.#compute((handle) => handle.peek()!),
      this.dtype,
      this.shape,
    );
  }

  /**
   * The elements in the canonical encoding, in one array. Memory: this tensor and, for a step, what
   * it is made from. Throws `core/limit` when an array does not hold them:
   * {@link Weight.chunks} does.
   */
  async bytes(): Promise<Uint8Array> {
    const read = new Map<string, Uint8Array>();
    for (const handle of this.#standing())
      if (!read.has(handle.place)) read.set(handle.place, await handle.read());
    return this.#compute((handle) => read.get(handle.place)!);
  }

  /**
   * The elements in the canonical encoding, in order, in pieces of at most `maxBytes`. Elements
   * that are stored, reshaped, cut or joined along the outermost axis, cast or dequantised come
   * piece by piece; for the other steps the tensor that they move is in memory, as with
   * {@link Weight.bytes}.
   */
  async *chunks(maxBytes = pieceBytes): AsyncGenerator<Uint8Array> {
    for await (const piece of this.#stream(maxBytes, {}))
      for (let at = 0; at < piece.length; at += maxBytes) yield piece.subarray(at, at + maxBytes);
  }

  /**
   * The canonical bytes as a handle: the place where they stand, if nothing has to be moved or
   * computed, so that it tells which tensors share bytes.
   */
  get handle(): ByteHandle {
    return (this.#handle ??=
      this.#place() ??
      ByteHandle.computed(bytesOf(this.dtype, sizeOf(this.shape)), () => this.chunks()));
  }

  #handle: ByteHandle | undefined;

  /** The elements, decoded. */
  async tensor(): Promise<Tensor> {
    return decodeTensor(await this.bytes(), this.dtype, this.shape);
  }

  /**
   * Whether two handles are the same steps over the same stored elements: of one place, or equal in
   * memory.
   */
  same(other: Weight): boolean {
    if (this === other) return true;
    if (this.dtype !== other.dtype || this.shape.join() !== other.shape.join()) return false;
    const [a, b] = [this.content, other.content];
    if (a.kind === 'merged') return a.parts[0].same(other);
    if (b.kind === 'merged') return this.same(b.parts[0]);
    if (a.kind === 'step' && b.kind === 'step' && JSON.stringify(a.step) === JSON.stringify(b.step))
      return a.of.same(b.of);
    if (a.kind === 'concat' && b.kind === 'concat')
      return (
        a.axis === b.axis &&
        a.parts.length === b.parts.length &&
        a.parts.every((part, i) => part.same(b.parts[i]!))
      );
    const [here, there] = [this.#place(), other.#place()];
    if (!here || !there) return false;
    const [bytes, others] = [here.peek(), there.peek()];
    return (
      here.same(there) ||
      (bytes?.length === others?.length && !!bytes?.every((byte, i) => byte === others![i]))
    );
  }

  /**
   * The source's name of stored elements; undefined for what was made of others or by a program.
   */
  get name(): string | undefined {
    return this.content.kind === 'stored' ? this.content.name : undefined;
  }

  /**
   * The handles that this one is made of, each once, down to those that hold elements of the source
   * or of a program themselves.
   */
  get leaves(): readonly Weight[] {
    const seen = new Set<Weight>();
    const visit = (weight: Weight): void => {
      if (seen.has(weight)) return;
      seen.add(weight);
      const { content } = weight;
      if (content.kind === 'step') visit(content.of);
      else if (content.kind !== 'stored') content.parts.forEach(visit);
    };
    visit(this);
    return [...seen].filter(({ content }) => content.kind === 'stored');
  }

  /** The stored tensors of the source among its {@link Weight.leaves}. */
  get origins(): readonly Weight[] {
    return this.leaves.filter(({ name }) => name !== undefined);
  }

  /** Whether the elements from `first` on begin with a byte of their own. */
  #isByte(first: number): boolean {
    const bits = bitsOf(this.dtype);
    return bits > 0 && (first * bits) % 8 === 0;
  }

  /** Where the bytes stand one after the other, if no element has to be moved or computed. */
  #place(): ByteHandle | undefined {
    const { content } = this;
    if (content.kind === 'stored' || content.kind === 'computed') return content.bytes;
    const direct = this.#direct();
    if (direct !== this) return direct.#place();
    if (content.kind === 'step')
      return content.step.kind === 'reshape' ? content.of.#place() : undefined;
    if (content.kind !== 'concat' || !this.#isJoinOfBytes(content)) return undefined;
    const places = content.parts.map((part) => part.#place());
    return places.every((place) => place !== undefined) ? ByteHandle.join(places) : undefined;
  }

  /** Whether the bytes of a join are those of its parts, one after the other. */
  #isJoinOfBytes({ parts, axis }: WeightContent & { readonly kind: 'concat' }): boolean {
    return (
      sizeOf(this.shape.slice(0, axis)) === 1 &&
      parts.slice(0, -1).every((part) => this.#isByte(sizeOf(part.shape)))
    );
  }

  /**
   * The same elements without what a slice along the outermost axis leaves out: the slice goes
   * inward as far as it can. One of those that are merged. Itself for everything else.
   */
  #direct(): Weight {
    const { content } = this;
    if (content.kind === 'merged') return content.parts[0];
    if (content.kind !== 'step' || content.step.kind !== 'slice') return this;
    const { axis, start } = content.step;
    if (sizeOf(this.shape.slice(0, axis)) !== 1) return this;
    return (this.#cut ??=
      content.of.#part(start * sizeOf(this.shape.slice(axis + 1)), sizeOf(this.shape)) ?? this);
  }

  #cut: Weight | undefined;

  /**
   * `count` elements from `first` on in C order, in one dimension; undefined where it takes others
   * to tell them.
   */
  #part(first: number, count: number): Weight | undefined {
    const { content, dtype } = this;
    if (content.kind === 'merged') return content.parts[0].#part(first, count);
    if (content.kind === 'stored' || content.kind === 'computed') {
      const isWhole = first + count === sizeOf(this.shape);
      if (!this.#isByte(first) || !(isWhole || this.#isByte(first + count))) return undefined;
      const bytes = content.bytes.slice(bytesOf(dtype, first), bytesOf(dtype, count));
      return Weight.stored(dtype, [count], undefined, bytes);
    }
    if (content.kind === 'concat') {
      if (!this.#isJoinOfBytes(content)) return undefined;
      const found: (Weight | undefined)[] = [];
      let start = 0;
      for (const part of content.parts) {
        const size = sizeOf(part.shape);
        const [from, to] = [Math.max(first, start), Math.min(first + count, start + size)];
        if (from < to) found.push(part.#part(from - start, to - from));
        start += size;
      }
      if (found.length === 0) return Weight.of(dtype, [0], new Uint8Array(0));
      return found.every((part) => part !== undefined) ? Weight.concat(found, 0) : undefined;
    }
    const { of, step } = content;
    if (step.kind === 'reshape') return of.#part(first, count);
    if (step.kind === 'cast') return of.#part(first, count)?.cast(dtype);
    if (step.kind === 'affine')
      return of.#part(first, count)?.affine(dtype, step.scale, step.offset);
    const direct = this.#direct();
    return direct === this ? undefined : direct.#part(first, count);
  }

  /** The handles that the elements are read from. */
  #standing(): readonly ByteHandle[] {
    const place = this.#place();
    if (place) return [place];
    const direct = this.#direct();
    if (direct !== this) return direct.#standing();
    const { content } = this;
    if (content.kind === 'step') return content.of.#standing();
    return (content as WeightContent & { kind: 'concat' }).parts.flatMap((part) =>
      part.#standing(),
    );
  }

  /** The bytes, from those of what {@link #standing} gives. */
  #compute(read: (handle: ByteHandle) => Uint8Array): Uint8Array {
    const place = this.#place();
    if (place) return read(place);
    const direct = this.#direct();
    if (direct !== this) return direct.#compute(read);
    const content = this.content as WeightContent & { kind: 'concat' | 'step' };
    return content.kind === 'concat'
      ? joinElements(
          content.parts.map((part) => [part, part.#compute(read)] as const),
          content.axis,
          this,
        )
      : applyStep(content.step, content.of, content.of.#compute(read));
  }

  async *#stream(maxBytes: number, last: Operand): AsyncGenerator<Uint8Array> {
    const place = this.#place();
    if (place) return yield* place.chunks(maxBytes);
    const direct = this.#direct();
    if (direct !== this) return yield* direct.#stream(maxBytes, last);
    const content = this.content as WeightContent & { kind: 'concat' | 'step' };
    if (content.kind === 'concat') {
      if (!this.#isJoinOfBytes(content)) return yield await this.bytes();
      for (const part of content.parts) yield* part.#stream(maxBytes, last);
      return;
    }
    const { of, step } = content;
    if (step.kind === 'reshape') return yield* of.#stream(maxBytes, last);
    if ((step.kind === 'cast' || step.kind === 'affine') && of.dtype !== 'string') {
      // Elements are float64 on the way.
      const pieces = of.#stream(Math.max(8, Math.floor(maxBytes / 64) * bitsOf(of.dtype)), last);
      return yield* convertElements(pieces, of.dtype, sizeOf(of.shape), conversion(step));
    }
    if (last.weight !== of) {
      delete last.bytes;
      last.bytes = await of.bytes();
      last.weight = of;
    }
    yield applyStep(step, of, last.bytes!);
  }
}

/**
 * What was in memory last to be moved: parts of one tensor, as the gates of a recurrence, follow
 * one another.
 */
interface Operand {
  weight?: Weight;
  bytes?: Uint8Array;
}
