import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import {
  EngineFailure,
  messageOf,
  type Engine,
  type LoadedFile,
  type Peer,
  type RawSignature,
  type RawTensor,
} from '../engine.js';

/** What the engine is told beside the model. */
export interface OnnxruntimeSettings {
  readonly threads: number | undefined;
  readonly optimization: 'disabled' | 'basic' | 'extended' | 'all';
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
const types = Object.keys(arrays) as (keyof typeof arrays)[];

/** A model in onnxruntime: the files beside the main one are its external data. */
export async function load(
  [model, ...externalData]: readonly LoadedFile[],
  { threads, optimization }: OnnxruntimeSettings,
  peer: Peer,
): Promise<Engine> {
  const ort = await peer('onnxruntime-node', () => import('onnxruntime-node'));
  const session = await ort.InferenceSession.create(model!.bytes, {
    graphOptimizationLevel: optimization,
    // Errors come as exceptions; everything below is talk on the user's terminal.
    logSeverityLevel: 4,
    // Threads that wait for work otherwise turn round, which another process could use.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    ...(externalData.length > 0 && {
      externalData: externalData.map(({ path, bytes }) => ({ path, data: bytes })),
    }),
    ...(threads !== undefined && { intraOpNumThreads: threads }),
  }).catch((error: unknown) => {
    throw new EngineFailure('refused', messageOf(error));
  });
  const outputs = session.outputMetadata.map(signatureOf);
  return {
    inputs: session.inputMetadata.map(signatureOf),
    outputs,
    async run(inputs) {
      const feeds = Object.fromEntries(
        [...inputs].map(([name, value]) => [name, toOrt(ort.Tensor, value)]),
      );
      const results = await session.run(feeds).catch((error: unknown) => {
        throw new EngineFailure('failed', messageOf(error));
      });
      const values = new Map(Object.entries(results));
      return outputs.map(({ name }) => fromOrt(values.get(name)));
    },
    dispose: () => session.release(),
  };
}

function signatureOf(metadata: InferenceSession.ValueMetadata): RawSignature {
  if (!metadata.isTensor) return { name: metadata.name, dtype: undefined, shape: undefined };
  const shape = metadata.shape.map((dim) =>
    typeof dim === 'number' ? (dim < 0 ? null : dim) : dim === '' ? null : dim,
  );
  // onnxruntime gives an empty list both for a scalar and for an unknown rank.
  return {
    name: metadata.name,
    dtype: metadata.type,
    shape: shape.length > 0 ? shape : undefined,
  };
}

function toOrt(OrtTensorClass: typeof OrtTensor, { dtype, shape, data }: RawTensor): OrtTensor {
  if (!(data instanceof Uint8Array)) return new OrtTensorClass('string', [...data], shape);
  const type = types.find((known) => known === dtype);
  if (type === undefined)
    throw new EngineFailure('failed', `inputs of type ${dtype} cannot be handed over`);
  return new OrtTensorClass(type, new arrays[type](data.slice().buffer), shape);
}

function fromOrt(value: OrtTensor | undefined): RawTensor | undefined {
  if (value?.data === undefined) return undefined;
  const { type: dtype, dims: shape } = value;
  if (Array.isArray(value.data)) return { dtype, shape, data: value.data as string[] };
  const { buffer, byteOffset, byteLength } = value.data as Uint8Array;
  return { dtype, shape, data: new Uint8Array(buffer, byteOffset, byteLength) };
}
