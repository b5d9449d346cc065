import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { DType } from './dtype.js';
import { bitsOf, isFloat, isInt } from './dtype.js';
import {
  allocate,
  decodeTensor,
  encodeTensor,
  pack,
  sizeOf,
  toNumbers,
  unpack,
  type Tensor,
} from './tensor.js';

/**
 * One step from a stored tensor to the tensor that the graph uses. Steps that only move elements
 * are exact; `cast` and `affine` round.
 */
export type WeightStep =
  | { readonly kind: 'transpose'; readonly perm: readonly number[] }
  | { readonly kind: 'reshape'; readonly shape: readonly number[] }
  | { readonly kind: 'slice'; readonly axis: number; readonly start: number; readonly size: number }
  | { readonly kind: 'reverse'; readonly axis: number }
  | { readonly kind: 'cast'; readonly dtype: DType }
  /** Stored codes q stand for q * scale + offset, computed in float64 and rounded to `dtype`. */
  | {
      readonly kind: 'affine';
      readonly dtype: DType;
      readonly scale: number;
      readonly offset: number;
    };

/** Where a weight's elements come from. */
type Content =
  | { readonly kind: 'stored'; readonly name: string; readonly read: () => Promise<Uint8Array> }
  | { readonly kind: 'memory'; readonly name: string | undefined; readonly bytes: Uint8Array }
  | { readonly kind: 'step'; readonly of: Weight; readonly step: WeightStep }
  | { readonly kind: 'concat'; readonly parts: readonly Weight[]; readonly axis: number };

/** One stored tensor that a weight holds, and the steps from it: a line of the tensor map. */
export interface WeightSource {
  readonly name: string;
  readonly steps: readonly WeightStep[];
}

/**
 * A handle to constant elements: type and shape are known, the elements are read only when asked
 * for. A handle is immutable; each method that changes something gives a new handle over the old
 * one.
 */
export class Weight {
  private constructor(
    readonly dtype: DType,
    readonly shape: readonly number[],
    private readonly content: Content,
  ) {}

  /**
   * Elements that lie in a file. `read` gives them in the canonical encoding (see `decodeTensor`);
   * `name` is the source's name for them.
   */
  static stored(
    dtype: DType,
    shape: readonly number[],
    name: string,
    read: () => Promise<Uint8Array>,
  ): Weight {
    return new Weight(dtype, shape, { kind: 'stored', name, read });
  }

  /**
   * Elements in memory, in the canonical encoding; `name` is the source's name for them if they
   * come from one.
   */
  static of(dtype: DType, shape: readonly number[], bytes: Uint8Array, name?: string): Weight {
    return new Weight(dtype, shape, { kind: 'memory', name, bytes });
  }

  /** Elements of a tensor in memory. */
  static from(tensor: Tensor, name?: string): Weight {
    return Weight.of(tensor.dtype, tensor.shape, encodeTensor(tensor), name);
  }

  /**
   * Weights joined along an axis, in order. They have one dtype and agree in every other dimension.
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

  /** Whether the elements are in memory already, so that {@link peek} gives them. */
  get isInMemory(): boolean {
    const { content } = this;
    if (content.kind === 'step') return content.of.isInMemory;
    return content.kind === 'concat'
      ? content.parts.every((part) => part.isInMemory)
      : content.kind === 'memory';
  }

  /**
   * The elements if they are in memory; readers keep small tensors there, so that shape arithmetic
   * needs no reads.
   */
  peek(): Tensor | undefined {
    if (!this.isInMemory) return undefined;
    return decodeTensor(
      this.#compute((weight) => (weight.content as Content & { kind: 'memory' }).bytes),
      this.dtype,
      this.shape,
    );
  }

  /**
   * The elements in the canonical encoding. Memory: this tensor and, for a step, what it is made
   * from.
   */
  async bytes(): Promise<Uint8Array> {
    const leaves = new Map<Weight, Uint8Array>();
    for (const leaf of this.leaves) {
      if (leaf.content.kind === 'memory') leaves.set(leaf, leaf.content.bytes);
      else if (leaf.content.kind === 'stored' && !leaves.has(leaf))
        leaves.set(leaf, await leaf.content.read());
    }
    return this.#compute((leaf) => leaves.get(leaf)!);
  }

  /** The elements, decoded. */
  async tensor(): Promise<Tensor> {
    return decodeTensor(await this.bytes(), this.dtype, this.shape);
  }

  /**
   * The stored tensors that this one holds, and how: its lines of the tensor map. Steps within a
   * join are those of each part.
   */
  sources(): readonly WeightSource[] {
    const { content } = this;
    if (content.kind === 'concat') return content.parts.flatMap((part) => part.sources());
    if (content.kind === 'step')
      return content.of
        .sources()
        .map(({ name, steps }) => ({ name, steps: [...steps, content.step] }));
    return content.name === undefined ? [] : [{ name: content.name, steps: [] }];
  }

  /** Whether two handles are the same steps over the same stored elements. */
  same(other: Weight): boolean {
    if (this === other) return true;
    const [a, b] = [this.content, other.content];
    if (this.dtype !== other.dtype || this.shape.join() !== other.shape.join()) return false;
    if (a.kind === 'step' && b.kind === 'step')
      return JSON.stringify(a.step) === JSON.stringify(b.step) && a.of.same(b.of);
    if (a.kind === 'concat' && b.kind === 'concat')
      return (
        a.axis === b.axis &&
        a.parts.length === b.parts.length &&
        a.parts.every((part, i) => part.same(b.parts[i]!))
      );
    return (
      a.kind === 'memory' &&
      b.kind === 'memory' &&
      a.bytes.length === b.bytes.length &&
      a.bytes.every((byte, i) => byte === b.bytes[i])
    );
  }

  /** The source's name of stored elements; undefined for what was made of others. */
  get name(): string | undefined {
    const { content } = this;
    return content.kind === 'stored' || content.kind === 'memory' ? content.name : undefined;
  }

  /** The handles that this one is made of, in order, down to those that hold elements. */
  get leaves(): readonly Weight[] {
    if (this.content.kind === 'step') return this.content.of.leaves;
    return this.content.kind === 'concat'
      ? this.content.parts.flatMap((part) => part.leaves)
      : [this];
  }

  #compute(leaf: (weight: Weight) => Uint8Array): Uint8Array {
    const { content } = this;
    if (content.kind === 'concat')
      return joinBytes(
        content.parts.map((part) => [part, part.#compute(leaf)] as const),
        content.axis,
        this,
      );
    return content.kind === 'step'
      ? applyStep(content.step, content.of, content.of.#compute(leaf))
      : leaf(this);
  }
}

/** Elements as units that can be moved: one code per element for packed types. */
function movable(
  bytes: Uint8Array,
  { dtype, shape }: { dtype: DType; shape: readonly number[] },
): { units: Uint8Array; width: number } {
  const bits = bitsOf(dtype);
  if (bits === 0)
    throw coreDiagnostics.error('not-evaluable', {
      message: 'Strings cannot be moved within a stored weight.',
      origin: { file: '' },
    });
  return bits < 8
    ? { units: unpack(bytes, dtype, sizeOf(shape)), width: 1 }
    : { units: bytes, width: bits / 8 };
}

function applyStep(step: WeightStep, of: Weight, bytes: Uint8Array): Uint8Array {
  if (step.kind === 'reshape') return bytes;
  if (step.kind === 'cast' || step.kind === 'affine') {
    const values = decodeTensor(bytes, of.dtype, of.shape);
    if (step.kind === 'cast') return encodeTensor(castTensor(values, step.dtype));
    const exact = toNumbers(values).map((q) => q * step.scale + step.offset);
    return encodeTensor({
      dtype: step.dtype,
      shape: of.shape,
      data: isInt(step.dtype) ? exact.map(Math.round) : exact,
    });
  }
  const { units, width } = movable(bytes, of);
  const strides = of.shape.map((_, i) => sizeOf(of.shape.slice(i + 1)));
  if (step.kind === 'transpose')
    return packed(
      gather(
        units,
        width,
        step.perm.map((p) => of.shape[p]!),
        step.perm.map((p) => strides[p]!),
        0,
      ),
      of.dtype,
    );
  const shape =
    step.kind === 'slice' ? of.shape.map((d, i) => (i === step.axis ? step.size : d)) : of.shape;
  const first =
    (step.kind === 'slice' ? step.start : of.shape[step.axis]! - 1) * strides[step.axis]!;
  const steps = step.kind === 'slice' ? strides : strides.map((s, i) => (i === step.axis ? -s : s));
  return packed(gather(units, width, shape, steps, sizeOf(shape) === 0 ? 0 : first), of.dtype);
}

function packed(units: Uint8Array, dtype: DType): Uint8Array {
  return bitsOf(dtype) < 8 ? pack(units, dtype) : units;
}

/**
 * Copies elements of `width` bytes in C order of `shape`, stepping through `units` by `strides` (in
 * elements) from element `first`.
 */
function gather(
  units: Uint8Array,
  width: number,
  shape: readonly number[],
  strides: readonly number[],
  first: number,
): Uint8Array {
  const count = sizeOf(shape);
  const aligned = width === 4 && units.byteOffset % 4 === 0;
  const out = new Uint8Array(count * width);
  if (count === 0) return out;
  const from = aligned ? new Uint32Array(units.buffer, units.byteOffset, units.length / 4) : units;
  const to = aligned ? new Uint32Array(out.buffer) : out;
  const unit = aligned ? 1 : width;
  const rank = shape.length;
  const inner = rank ? shape[rank - 1]! : 1;
  const innerStride = (rank ? strides[rank - 1]! : 1) * unit;
  const index = new Array<number>(rank).fill(0);
  for (let at = 0, row = first * unit; at < to.length;) {
    for (let i = 0, p = row; i < inner; i++, p += innerStride)
      for (let b = 0; b < unit; b++) to[at++] = from[p + b]!;
    for (let axis = rank - 2; axis >= 0; axis--) {
      row += strides[axis]! * unit;
      if (++index[axis]! < shape[axis]!) break;
      row -= strides[axis]! * shape[axis]! * unit;
      index[axis] = 0;
    }
  }
  return out;
}

function joinBytes(
  parts: readonly (readonly [Weight, Uint8Array])[],
  axis: number,
  whole: Weight,
): Uint8Array {
  const pieces = parts.map(([weight, bytes]) => ({
    ...movable(bytes, weight),
    inner: sizeOf(weight.shape.slice(axis)),
  }));
  const { width } = pieces[0]!;
  const out = new Uint8Array(sizeOf(whole.shape) * width);
  const outer = sizeOf(whole.shape.slice(0, axis));
  for (let row = 0, at = 0; row < outer; row++) {
    for (const { units, inner } of pieces) {
      out.set(units.subarray(row * inner * width, (row + 1) * inner * width), at);
      at += inner * width;
    }
  }
  return packed(out, whole.dtype);
}

/**
 * Elements converted to another type: to floats to nearest; to integers truncated and wrapped; to
 * bool whether not zero.
 */
export function castTensor(tensor: Tensor, dtype: DType): Tensor {
  const { data, shape } = tensor;
  if (dtype === tensor.dtype) return tensor;
  const out = allocate(dtype, sizeOf(shape));
  if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    const integer = (x: number | bigint) =>
      typeof x === 'bigint' ? x : Number.isFinite(x) ? BigInt(Math.trunc(x)) : 0n;
    for (let i = 0; i < out.length; i++)
      out[i] = integer((data as Float64Array | BigInt64Array)[i]!);
    return { dtype, shape, data: out };
  }
  // The low bits of 64-bit integers would be lost in float64.
  const isWide = isInt(dtype) && (data instanceof BigInt64Array || data instanceof BigUint64Array);
  const values = isWide
    ? Float64Array.from(data, (x) => Number(BigInt.asUintN(32, x)))
    : toNumbers(tensor);
  if (dtype === 'bool')
    return { dtype, shape, data: Uint8Array.from(values, (x) => (x !== 0 ? 1 : 0)) };
  const stored = isFloat(dtype) ? values : values.map(Math.trunc);
  return decodeTensor(encodeTensor({ dtype, shape, data: stored }), dtype, shape);
}
