import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import {
  decodeTensor,
  dtypes,
  encodeTensor,
  runtimeDiagnostics,
  type DType,
  type LoadedModel,
  type ModelFiles,
  type OpenedModel,
  type Runtime,
  type Signature,
  type Tensor,
} from '@drover/core';
import { fitInputs } from '@drover/core/format';
import { importPeer, messageOf } from './import-peer.js';

/** How onnxruntime runs. */
export interface OnnxruntimeOptions {
  /** Threads within an operator; onnxruntime's own choice unless told. */
  readonly threads?: number;
  /** Whether operators are fused and constants folded; `all` unless told. */
  readonly optimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /**
   * Paths of external data, relative to the model, that the model names. The files are read through
   * `sibling`. Those named `MODEL.onnx.data` are found alone.
   */
  readonly externalData?: readonly string[];
}

// Float16Array exists from Node 24 on, and onnxruntime then takes nothing else.
const float16Array =
  (globalThis as { Float16Array?: typeof Uint16Array }).Float16Array ?? Uint16Array;
// prettier-ignore
const arrays = {
  float64: Float64Array, float32: Float32Array, float16: float16Array, int64: BigInt64Array,
  int32: Int32Array, int16: Int16Array, int8: Int8Array, uint64: BigUint64Array,
  uint32: Uint32Array, uint16: Uint16Array, uint8: Uint8Array, bool: Uint8Array,
} as const;

/**
 * onnxruntime, through the package onnxruntime-node. Runs ONNX models that are in the hands of a
 * source: files beside the model are read by Drover's rules.
 */
export function onnxruntime(options: OnnxruntimeOptions = {}): Runtime<ModelFiles> {
  return { id: 'onnxruntime', formats: ['onnx'], load: (model) => load(model, options) };
}

async function load(
  model: ModelFiles & Partial<OpenedModel>,
  options: OnnxruntimeOptions,
): Promise<LoadedModel> {
  const { source, format } = model;
  const ort = await importPeer('onnxruntime-node', () => import('onnxruntime-node'));
  const base = source.name.slice(source.name.lastIndexOf('/') + 1);
  const beside = await source.siblings();
  const paths =
    options.externalData ??
    (await format?.files?.(source)) ??
    [`${base}.data`, `${base}_data`].filter((path) => beside.includes(path));
  const externalData = await Promise.all(
    paths.map(async (path) => ({ path, data: await (await source.sibling(path)).read() })),
  );
  let session: InferenceSession;
  try {
    session = await ort.InferenceSession.create(await source.read(), {
      graphOptimizationLevel: options.optimization ?? 'all',
      // Errors come as exceptions; everything below is talk on the user's terminal.
      logSeverityLevel: 4,
      ...(externalData.length > 0 && { externalData }),
      ...(options.threads !== undefined && { intraOpNumThreads: options.threads }),
    });
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'diagnostics' in error) throw error;
    throw runtimeDiagnostics.error('refused', {
      message: `onnxruntime: ${messageOf(error)}`,
      origin: { file: source.name },
    });
  }
  const inputs = session.inputMetadata.map(signatureOf);
  const outputs = session.outputMetadata.map(signatureOf);
  const failed = (message: string) =>
    runtimeDiagnostics.error('failed', {
      message: `onnxruntime: ${message}`,
      origin: { file: source.name },
    });
  return {
    inputs,
    outputs,
    async run(given) {
      const fitted = [...fitInputs(inputs, given, source.name)];
      const feeds = Object.fromEntries(
        fitted.map(([name, value]) => [name, toOrt(ort.Tensor, value, failed)]),
      );
      let results: InferenceSession.OnnxValueMapType;
      try {
        results = await session.run(feeds);
      } catch (error) {
        throw failed(messageOf(error));
      }
      const values = new Map(Object.entries(results));
      return new Map(outputs.map(({ name }) => [name, fromOrt(name, values.get(name), failed)]));
    },
    dispose: () => session.release(),
  };
}

function signatureOf(metadata: InferenceSession.ValueMetadata): Signature {
  if (!metadata.isTensor) return { name: metadata.name, dtype: undefined, shape: undefined };
  const shape = metadata.shape.map((dim) =>
    typeof dim === 'number' ? (dim < 0 ? null : dim) : dim === '' ? null : dim,
  );
  // onnxruntime gives an empty list both for a scalar and for an unknown rank.
  return {
    name: metadata.name,
    dtype: asDType(metadata.type),
    shape: shape.length > 0 ? shape : undefined,
  };
}

function asDType(type: string): DType | undefined {
  return dtypes.find((dtype) => dtype === type);
}

function toOrt(
  OrtTensorClass: typeof OrtTensor,
  value: Tensor,
  failed: (message: string) => Error,
): OrtTensor {
  if (value.dtype === 'string')
    return new OrtTensorClass('string', [...(value.data as readonly string[])], value.shape);
  if (!(value.dtype in arrays)) throw failed(`inputs of type ${value.dtype} cannot be handed over`);
  const dtype = value.dtype as keyof typeof arrays;
  return new OrtTensorClass(
    dtype,
    new arrays[dtype](encodeTensor(value).slice().buffer),
    value.shape,
  );
}

function fromOrt(
  name: string,
  value: OrtTensor | undefined,
  failed: (message: string) => Error,
): Tensor {
  const dtype = value && asDType(value.type);
  if (value === undefined || dtype === undefined)
    throw failed(`the output ${JSON.stringify(name)} is no tensor of a known type`);
  if (Array.isArray(value.data)) return { dtype, shape: value.dims, data: value.data as string[] };
  const { buffer, byteOffset, byteLength } = value.data as Uint8Array;
  return decodeTensor(new Uint8Array(buffer, byteOffset, byteLength), dtype, value.dims);
}
