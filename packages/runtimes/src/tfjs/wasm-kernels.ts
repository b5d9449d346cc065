import type * as tfcore from '@tensorflow/tfjs-core';
import type { KernelBackend, NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';

/**
 * The backend that is `cpu`, but for the kernels of `wasm` that are known to compute the same and
 * take most of a network's time.
 */
export const mixedBackend = 'drover-cpu-and-wasm';

type Operands = Readonly<Record<string, TensorInfo>>;

/** A kernel of `wasm` that gives what that of `cpu` gives, float32 rounding apart. */
interface Trusted {
  /** Names of its operands, all of float32. */
  readonly operands: readonly string[];
  /** The attributes as `wasm` computes them rightly; undefined where it does not. */
  readonly attributes: (operands: Operands, attributes: NamedAttrMap) => NamedAttrMap | undefined;
  /** Whether it only moves elements, infinities and NaN among them. */
  readonly moves?: boolean;
}

const asGiven: Trusted['attributes'] = (_, attributes) => attributes;
const convolution: Trusted = { operands: ['x', 'filter'], attributes: statePads };

/**
 * What is computed in WebAssembly: what was held against `cpu` on random operands and all vectors.
 *
 * The others stay as they are in `cpu`. Beside those that it lacks, as Einsum, `wasm` of
 * TensorFlow.js 4.22 has kernels that compute something else: Select of bools writes beyond its
 * result; OneHot, MaxPoolWithArgmax, Dilation2D and Transform give other numbers, and Cast other
 * bools; products of int32 are rounded to float32; relu6 after _FusedMatMul and prelu after
 * anything fused are wrong; pools, relu and relu6 lose NaN; a bias of several axes is refused, and
 * Softmax over one class.
 */
const trusted: ReadonlyMap<string, Trusted> = new Map([
  ['Conv2D', convolution],
  ['DepthwiseConv2dNative', convolution],
  ['Conv2DBackpropInput', { operands: ['dy', 'filter'], attributes: asGiven }],
  ['BatchMatMul', { operands: ['a', 'b'], attributes: asGiven }],
  ['PadV2', { operands: ['x'], attributes: asGiven, moves: true }],
  ['StridedSlice', { operands: ['x'], attributes: forwards, moves: true }],
  ['Transpose', { operands: ['x'], attributes: asGiven, moves: true }],
]);

/** Fused kernels: the product that each begins with. A bias and an activation follow. */
const fused: ReadonlyMap<string, string> = new Map([
  ['FusedConv2D', 'Conv2D'],
  ['FusedDepthwiseConv2D', 'DepthwiseConv2dNative'],
  ['_FusedMatMul', 'BatchMatMul'],
]);

/** The memory of WebAssembly ends at 2 GiB, and what has no place there is written anywhere. */
const maxElements = 2 ** 26;

const activations: ReadonlyMap<unknown, string> = new Map([
  ['relu', 'Relu'],
  ['relu6', 'Relu6'],
  ['elu', 'Elu'],
  ['sigmoid', 'Sigmoid'],
  ['leakyrelu', 'LeakyRelu'],
  ['prelu', 'Prelu'],
]);

/**
 * Makes the backend {@link mixedBackend} known to TensorFlow.js. The backends `cpu` and `wasm` must
 * have started.
 */
export function registerMixedBackend(tf: typeof tfcore): void {
  if (tf.findBackendFactory(mixedBackend)) return;
  const [cpu, wasm] = [tf.findBackend('cpu'), tf.findBackend('wasm')];
  // All tensors are in the memory of `cpu`, whose kernels serve both backends.
  tf.registerBackend(mixedBackend, () => cpu);
  tf.copyRegisteredKernels('cpu', mixedBackend);
  const kernels = new MixedKernels(tf, cpu, wasm);
  const replace = (
    kernelName: string,
    compute: (inputs: Operands, attributes: NamedAttrMap) => TensorInfo,
  ) => {
    tf.unregisterKernel(kernelName, mixedBackend);
    tf.registerKernel({
      kernelName,
      backendName: mixedBackend,
      kernelFunc: ({ inputs, attrs }) => compute(inputs as Operands, attrs ?? {}),
    });
  };
  for (const [name, how] of trusted)
    replace(name, (inputs, attributes) => kernels.single(name, how, inputs, attributes));
  for (const [name, first] of fused)
    replace(name, (inputs, attributes) => kernels.fused(name, first, inputs, attributes));
}

class MixedKernels {
  /** Whether WebAssembly failed: its memory is then in no state to be trusted. */
  #isBroken = false;

  constructor(
    readonly tf: typeof tfcore,
    readonly cpu: KernelBackend,
    readonly wasm: KernelBackend,
  ) {}

  single(name: string, how: Trusted, inputs: Operands, attributes: NamedAttrMap): TensorInfo {
    return this.#inWasm(name, how, inputs, attributes) ?? this.#plain(name, inputs, attributes);
  }

  fused(name: string, first: string, inputs: Operands, attributes: NamedAttrMap): TensorInfo {
    const product = this.#inWasm(first, trusted.get(first)!, inputs, attributes);
    if (product === undefined) return this.#plain(name, inputs, attributes);
    const { bias, preluActivationWeights: alpha } = inputs;
    const activation = activations.get(attributes['activation']);
    const biased = bias ? this.#consume(product, (x) => this.#add(x, bias)) : product;
    if (activation === undefined) return biased;
    const operands = (x: TensorInfo): Operands => (alpha ? { x, alpha } : { x });
    return this.#consume(biased, (x) =>
      this.#plain(activation, operands(x), { alpha: attributes['leakyreluAlpha'] as number }),
    );
  }

  #consume(x: TensorInfo, step: (x: TensorInfo) => TensorInfo): TensorInfo {
    const y = step(x);
    this.cpu.disposeData(x.dataId);
    return y;
  }

  /** For a bias of the last axis, the plain kernel would compute an index for each element. */
  #add(x: TensorInfo, bias: TensorInfo): TensorInfo {
    const [channels] = bias.shape;
    if (bias.dtype !== 'float32' || bias.shape.length !== 1 || channels !== x.shape.at(-1))
      return this.#plain('Add', { a: x, b: bias }, {});
    const [terms, added] = [this.#read(x), this.#read(bias)];
    const sums = new Float32Array(terms.length);
    for (let i = 0, channel = 0; i < sums.length; i++) {
      sums[i] = terms[i]! + added[channel]!;
      if (++channel === channels) channel = 0;
    }
    return this.#write(sums, x.shape);
  }

  #plain(name: string, inputs: Operands, attrs: NamedAttrMap): TensorInfo {
    const { kernelFunc } = this.tf.getKernel(name, 'cpu');
    return kernelFunc({ inputs, attrs, backend: this.cpu }) as TensorInfo;
  }

  /**
   * What the kernel of `wasm` gives. Undefined where it is not trusted with the operands, and where
   * a product has an element that is infinite or NaN: it clamps those.
   */
  #inWasm(
    name: string,
    { operands, attributes, moves }: Trusted,
    inputs: Operands,
    given: NamedAttrMap,
  ): TensorInfo | undefined {
    const named = new Map(Object.entries(inputs));
    const tensors = operands.map((operand) => named.get(operand)!);
    const attrs = attributes(inputs, given);
    const isTrusted =
      !this.#isBroken &&
      attrs !== undefined &&
      (given['dataFormat'] ?? 'NHWC') === 'NHWC' &&
      tensors.every(({ dtype, shape }) => dtype === 'float32' && this.#fits(shape));
    if (!isTrusted) return undefined;
    try {
      return this.#compute(name, operands, tensors, attrs, moves);
    } catch (error) {
      // Other errors are about the operands: the plain kernel tells them.
      if (error instanceof Error && error.name === 'RuntimeError') this.#isBroken = true;
      return undefined;
    }
  }

  #compute(
    name: string,
    operands: readonly string[],
    tensors: readonly TensorInfo[],
    attrs: NamedAttrMap,
    moves = false,
  ): TensorInfo | undefined {
    const handed = tensors.map((tensor): TensorInfo => {
      const dataId = this.wasm.write(this.#read(tensor), tensor.shape, 'float32');
      return { ...tensor, dataId };
    });
    const { kernelFunc } = this.tf.getKernel(name, 'wasm');
    const inputs = Object.fromEntries(operands.map((operand, i) => [operand, handed[i]!]));
    const result = kernelFunc({ inputs, attrs, backend: this.wasm }) as TensorInfo;
    const values = this.wasm.readSync(result.dataId) as Float32Array;
    for (const { dataId } of [...handed, result]) this.wasm.disposeData(dataId);
    return moves || areFinite(values) ? this.#write(values, result.shape) : undefined;
  }

  #fits(shape: number[]): boolean {
    const size = this.tf.util.sizeFromShape(shape);
    return size > 0 && size <= maxElements;
  }

  /** A cast leaves the elements in the array that they were in. */
  #read({ dataId }: TensorInfo): Float32Array {
    const values = this.cpu.readSync(dataId) as ArrayLike<number>;
    return values instanceof Float32Array ? values : Float32Array.from(values);
  }

  #write(values: Float32Array, shape: number[]): TensorInfo {
    return { dataId: this.cpu.write(values, shape, 'float32'), shape, dtype: 'float32' };
  }
}

/** `same` in numbers: that of XNNPACK is another one where the stride exceeds the filter. */
function statePads({ x, filter }: Operands, attributes: NamedAttrMap): NamedAttrMap {
  if (attributes['pad'] !== 'same') return attributes;
  const [strides, dilations] = [attributes['strides'], attributes['dilations'] ?? 1].map((each) =>
    typeof each === 'number' ? [each, each] : (each as number[]),
  ) as [number[], number[]];
  const pads = [0, 1].map((axis) => {
    const [size, stride] = [x!.shape[axis + 1]!, strides[axis]!];
    const reach = (filter!.shape[axis]! - 1) * dilations[axis]! + 1;
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
  return { ...attributes, pad: [[0, 0], ...pads, [0, 0]] };
}

/** Backwards, and with axes that come or go, it leaves its operand where `cpu` fails. */
function forwards(_: Operands, attributes: NamedAttrMap): NamedAttrMap | undefined {
  const { strides, newAxisMask, shrinkAxisMask } = attributes;
  return newAxisMask === 0 &&
    shrinkAxisMask === 0 &&
    (strides as number[]).every((each) => each > 0)
    ? attributes
    : undefined;
}

function areFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}
