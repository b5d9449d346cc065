import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { broadcastStrides } from '../tensor/strides.js';
import { allocate, sizeOf, type Elements, type Tensor } from '../tensor/tensor.js';
import { broadcastShapes } from '../typing/broadcast.js';
import { reader } from './copy.js';

/**
 * The shape that the tensors of a broadcasting operator broadcast to. Throws `core/invalid-shape`.
 */
export function broadcastTensors(...tensors: readonly Tensor[]): readonly number[] {
  const shape = tensors.reduce<readonly number[] | undefined>(
    (to, { shape }) => to && (broadcastShapes(to, shape) as readonly number[] | undefined),
    [],
  );
  if (shape) return shape;
  const shapes = tensors.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ');
  throw coreDiagnostics.error('invalid-shape', {
    message: `${shapes} do not broadcast.`,
    origin: { file: '' },
  });
}

/** Elements of a result that are worked on at a time: few enough to stay in the cache. */
const pieceLength = 2048;

/**
 * Calls `visit` for piece after piece of a result of `shape` with its first place, its length and
 * the elements of each operand beside it. An operand that broadcasts is repeated in a buffer, piece
 * by piece, so that whoever works on the elements sees only vectors of one length.
 */
export function inPieces(
  operands: readonly Tensor[],
  shape: readonly number[],
  visit: (at: number, count: number, parts: readonly Elements[]) => void,
): void {
  const total = sizeOf(shape);
  const length = Math.min(total, pieceLength);
  const sources = operands.map((operand) => piecesOf(operand, shape, length));
  for (let at = 0; at < total; at += pieceLength) {
    const count = Math.min(pieceLength, total - at);
    visit(
      at,
      count,
      sources.map((source) => source(at, count)),
    );
  }
}

function piecesOf(
  { dtype, data, shape: own }: Tensor,
  shape: readonly number[],
  length: number,
): (at: number, count: number) => Elements {
  if (sizeOf(own) === sizeOf(shape) && ArrayBuffer.isView(data))
    return (at, count) => data.subarray(at, at + count);
  const buffer = allocate(dtype, length);
  const read = reader(data, 0, broadcastStrides(own, shape), buffer, shape);
  const part = (count: number) =>
    ArrayBuffer.isView(buffer) && count < length ? buffer.subarray(0, count) : buffer;
  if (sizeOf(own) === 1) {
    read(0, length);
    return (_, count) => part(count);
  }
  return (at, count) => {
    read(at, count);
    return part(count);
  };
}
