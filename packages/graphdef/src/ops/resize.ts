import { gap, isStatic, ops, tensor, type AttrValues, type Node, type Value, type WriteRules } from '@drover/core';
import { bool } from '../export/attribute.js';
import type { GraphWriter, Ref } from '../export/graph-writer.js';
import type { ReadRules, ToCore } from '../import/rule.js';

type ResizeAttrs = AttrValues<(typeof ops.Resize)['attrs']>;

const plain = { cubicCoefficient: -0.75, excludeOutside: false, antialias: false, sizes: null, scales: null, axes: [1, 2] } as const;

/** Images are N, height, width, C. `align_corners` and `half_pixel_centers` say where the pixels lie. */
const readResize = (mode: 'nearest' | 'linear'): ToCore => (node) => {
  const alignCorners = node.bool('align_corners', false);
  const halfPixel = node.bool('half_pixel_centers', false);
  const how = (): Pick<ResizeAttrs, 'coordinates' | 'nearest'> => {
    if (alignCorners) return { coordinates: 'alignCorners', nearest: 'roundPreferCeil' };
    if (halfPixel) return { coordinates: mode === 'nearest' ? 'tfHalfPixelNearest' : 'halfPixel', nearest: 'floor' };
    return { coordinates: 'asymmetric', nearest: 'floor' };
  };
  const images = node.input(0);
  // Interpolation gives float32 whatever the images are.
  const x = mode === 'linear' ? node.cast(images, 'float32', 'images') : images;
  return node.graph.add(ops.Resize, { x, sizes: node.input(1) }, { ...plain, mode, ...how() }, node.options).y;
};

const toCore = { ResizeBilinear: readResize('linear'), ResizeNearestNeighbor: readResize('nearest') } satisfies ReadRules;

/** The TensorFlow flags that place the pixels as a node does; undefined when there are none. */
function flagsOf({ mode, coordinates, nearest, antialias, scales, sizes, axes }: ResizeAttrs, x: Value): { align: boolean; half: boolean } | undefined {
  if (antialias || mode === 'cubic') return undefined;
  // Scales that the source states may differ from what the sizes say; then the pixels lie elsewhere.
  const factors = axes.map((axis, i) => {
    const [from, to] = [x.shape![axis]!, sizes?.[i]];
    const scale = scales?.[i];
    if (scale === undefined) return typeof from === 'number' && typeof to === 'number' ? to / from : undefined;
    if (typeof from === 'number' && typeof to === 'number') return from * scale === to ? scale : NaN;
    return Number.isInteger(scale) ? scale : NaN;
  });
  if (factors.some((factor) => Number.isNaN(factor))) return undefined;
  const off = { align: false, half: false };
  if (mode === 'linear') {
    if (coordinates === 'halfPixel' || coordinates === 'halfPixelSymmetric') return { align: false, half: true };
    if (coordinates === 'pytorchHalfPixel' && sizes?.every((size) => typeof size !== 'number' || size > 1)) return { align: false, half: true };
    if (coordinates === 'alignCorners') return { align: true, half: false };
    return coordinates === 'asymmetric' ? off : undefined;
  }
  // Where every pixel is repeated a whole number of times, all ways to round agree, but for those of aligned corners.
  const repeats = factors.every((factor) => factor !== undefined && Number.isInteger(factor));
  if (repeats && (coordinates === 'halfPixel' || coordinates === 'halfPixelSymmetric' || coordinates === 'pytorchHalfPixel') && nearest.startsWith('round')) return off;
  if (coordinates === 'asymmetric' && nearest === 'floor') return off;
  if (coordinates === 'tfHalfPixelNearest' && nearest === 'floor') return { align: false, half: true };
  return coordinates === 'alignCorners' && nearest === 'roundPreferCeil' ? { align: true, half: false } : undefined;
}

/** Largest matrix of interpolation weights, in elements, that is written for a form of resampling that TensorFlow lacks. */
const maxMatrixElements = 1 << 22;

/** Resampling along one axis of known sizes: by indices for the nearest element, else by a matrix of weights, both taken from the reference. */
function along(writer: GraphWriter, x: Ref, shape: readonly number[], index: number, attrs: ResizeAttrs): Ref {
  const axis = attrs.axes[index]!;
  const size = attrs.sizes![index] as number;
  const from = shape[axis]!;
  const one = { ...attrs, axes: [0], sizes: [size], scales: attrs.scales && [attrs.scales[index]!] };
  const evaluated = (given: ReturnType<typeof tensor>) => ops.Resize.evaluate({ x: given, sizes: undefined }, one, { run: async () => [], results: () => [], resultCount: 1 });
  const values = (made: ReturnType<typeof evaluated>) => Array.from((made as { readonly y: { readonly data: ArrayLike<number> } }).y.data);
  if (attrs.mode === 'nearest') {
    const indices = values(evaluated(tensor('int32', [from], Array.from({ length: from }, (_, i) => i))));
    return writer.step('GatherV2', [x, writer.ints(indices), writer.int(axis)], { batch_dims: { kind: 'i', value: 0 } });
  }
  if (from * size > maxMatrixElements) throw writer.unwritable('it resamples too many elements in a way that TensorFlow lacks');
  const identity = tensor('float64', [from, from], Array.from({ length: from * from }, (_, i) => (i % (from + 1) === 0 ? 1 : 0)));
  // [size, from] to the right of x, whose axis goes to the end and back.
  const weights = writer.step('Transpose', [writer.literal('float32', [size, from], values(evaluated(identity))), writer.ints([1, 0])]);
  const rank = shape.length;
  const swap = Array.from({ length: rank }, (_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));
  const moved = axis === rank - 1 ? x : writer.step('Transpose', [x, writer.ints(swap)]);
  const outer = swap.slice(0, -1).map((i) => shape[i]!);
  const flat = writer.step('MatMul', [writer.step('Reshape', [moved, writer.ints([-1, from])]), weights], { transpose_a: bool(false), transpose_b: bool(false) });
  const made = writer.step('Reshape', [flat, writer.ints([...outer, size])]);
  return axis === rank - 1 ? made : writer.step('Transpose', [made, writer.ints(swap)]);
}

function writeResize(node: Node<typeof ops.Resize>, writer: GraphWriter): { readonly gap: string } | void {
  const { x, sizes: operand } = node.operands;
  const { attrs } = node;
  if (!x.shape) return gap('the rank of its operand is not known');
  const flags = attrs.axes.every((axis) => axis === 1 || axis === 2) && x.shape.length === 4 ? flagsOf(attrs, x) : undefined;
  if (flags && (attrs.sizes || attrs.axes.length === 2)) {
    const sizeOf = (axis: number) => attrs.sizes![attrs.axes.indexOf(axis)] ?? x.shape![axis]!;
    const sizes = attrs.sizes ? writer.dims([sizeOf(1), sizeOf(2)]) : writer.cast(operand!, 'int32');
    const attributes = { align_corners: bool(flags.align), half_pixel_centers: bool(flags.half) };
    return writer.node(attrs.mode === 'nearest' ? 'ResizeNearestNeighbor' : 'ResizeBilinear', [x, sizes], attributes, node.outputs);
  }
  if (!attrs.sizes || !isStatic(attrs.sizes) || !isStatic(x.shape)) {
    return gap('TensorFlow places its pixels otherwise, and a size is not known');
  }
  const shape = [...x.shape];
  let y = writer.ref(x);
  attrs.axes.forEach((axis, i) => {
    y = along(writer, y, shape, i, attrs);
    shape[axis] = attrs.sizes![i] as number;
  });
  return writer.set(node.outputs[0]!, y);
}

const fromCore = { Resize: writeResize } satisfies Partial<WriteRules<GraphWriter>>;

/** Resampling, both directions. */
export const resize = { toCore, fromCore };
