import { allocateBytes } from '../bytes/allocate-bytes.js';
import { inMultiples } from '../bytes/pieces.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { castTensor } from './cast-tensor.js';
import { bitsOf, bytesOf, isInt, type DType } from './dtype.js';
import {
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

/** What elements are: type and shape. */
interface Typed {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** What a step makes of elements that it computes one by one. */
export function conversion(
  step: WeightStep & { readonly kind: 'cast' | 'affine' },
): (elements: Tensor) => Tensor {
  if (step.kind === 'cast') return (elements) => castTensor(elements, step.dtype);
  const { dtype, scale, offset } = step;
  return (elements) => {
    const exact = toNumbers(elements).map((q) => q * scale + offset);
    return { dtype, shape: elements.shape, data: isInt(dtype) ? exact.map(Math.round) : exact };
  };
}

/**
 * The canonical bytes of `count` elements of a type, each converted for itself, from theirs: piece
 * by piece. `convert` gets them in lists and gives lists of the same length. Not for strings, whose
 * lengths differ.
 */
export async function* convertElements(
  stored: AsyncIterable<Uint8Array>,
  dtype: DType,
  count: number,
  convert: (elements: Tensor) => Tensor,
): AsyncGenerator<Uint8Array> {
  let left = count;
  // Eight at a time, so that packed elements begin with a byte on both sides.
  for await (const piece of inMultiples(stored, bytesOf(dtype, 8))) {
    const length = Math.min(left, Math.floor((piece.length * 8) / bitsOf(dtype)));
    yield encodeTensor(convert(decodeTensor(piece, dtype, [length])));
    left -= length;
  }
}

/** Elements as units that can be moved: one code per element for packed types. */
function movable(bytes: Uint8Array, { dtype, shape }: Typed): { units: Uint8Array; width: number } {
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

/** The elements after one step, from those before it. */
export function applyStep(step: WeightStep, of: Typed, bytes: Uint8Array): Uint8Array {
  if (step.kind === 'reshape') return bytes;
  if (step.kind === 'cast' || step.kind === 'affine')
    return encodeTensor(conversion(step)(decodeTensor(bytes, of.dtype, of.shape)));
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
  const out = allocateBytes(count * width, 'A tensor', { file: '' });
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

/** The elements of parts joined along an axis. */
export function joinElements(
  parts: readonly (readonly [of: Typed, bytes: Uint8Array])[],
  axis: number,
  whole: Typed,
): Uint8Array {
  const pieces = parts.map(([of, bytes]) => ({
    ...movable(bytes, of),
    inner: sizeOf(of.shape.slice(axis)),
  }));
  const { width } = pieces[0]!;
  const out = allocateBytes(sizeOf(whole.shape) * width, 'A tensor', { file: '' });
  const outer = sizeOf(whole.shape.slice(0, axis));
  for (let row = 0, at = 0; row < outer; row++) {
    for (const { units, inner } of pieces) {
      out.set(units.subarray(row * inner * width, (row + 1) * inner * width), at);
      at += inner * width;
    }
  }
  return packed(out, whole.dtype);
}
