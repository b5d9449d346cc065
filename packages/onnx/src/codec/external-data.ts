import { ByteHandle, type Report, type SinkFile } from '@drover/core';
import { checkPath } from '@drover/core/format';
import { onnxDiagnostics } from '../diagnostics.js';
import {
  DataLocation,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from '../schema/onnx.js';

/** Where a tensor lies in another file. */
export interface ExternalLocation {
  /** Relative path with `/`, normalised, below the folder of the model. */
  readonly path: string;
  readonly offset: number;
  /** Bytes; undefined where the tensor does not say. */
  readonly length: number | undefined;
}

/** Offsets that can be mapped into memory, as the schema recommends. */
const alignment = 4096;

/**
 * What a tensor's `external_data` entries say. Errors: `core/path` for a location that is not below
 * the model's folder, `onnx/external-data` for a missing location, a key that stands twice, and an
 * offset or length that is no decimal number of bytes. Other keys are reported as
 * `onnx/external-entry-ignored`.
 */
export function externalLocation(
  tensor: TensorProto,
  file: string,
  report?: Report,
): ExternalLocation {
  const fault = (why: string) =>
    onnxDiagnostics.error('external-data', {
      message: `The external data of tensor ${quoted(tensor.name)} ${why}.`,
      origin: { file },
    });
  const entries = new Map<string, string>();
  for (const { key = '', value = '' } of tensor.externalData ?? []) {
    if (entries.has(key)) throw fault(`has two entries ${quoted(key)}`);
    entries.set(key, value);
    if (key !== 'location' && key !== 'offset' && key !== 'length') {
      const why = key === 'checksum' ? 'is not verified' : 'is unknown';
      report?.add(
        onnxDiagnostics.diagnostic('external-entry-ignored', {
          message: `The entry ${quoted(key)} about external data ${why}.`,
          origin: { file },
        }),
      );
    }
  }
  const location = entries.get('location');
  if (location === undefined) throw fault('has no location');
  const bytes = (key: string): number | undefined => {
    const text = entries.get(key);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (!Number.isSafeInteger(value)) throw fault(`has the ${key} ${quoted(text)}`);
    return value;
  };
  return { path: checkPath(location, file), offset: bytes('offset') ?? 0, length: bytes('length') };
}

/** The content of a field of bytes as a handle, whether it is in memory or in a file. */
export function handleOf(bytes: Uint8Array | ByteHandle): ByteHandle {
  return bytes instanceof ByteHandle ? bytes : ByteHandle.of(bytes);
}

/** Text from a file within a message: escaped and of bounded length. */
export function quoted(text = ''): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** The contents of an external data file. */
export interface ExternalData {
  /** Path relative to the model. */
  readonly path: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Writes the file in pieces. It is not closed. */
  write(file: SinkFile): Promise<void>;
}

/**
 * Moves the initializers of `minBytes` and more, those of subgraphs included, from raw_data to one
 * file at `path`, each at a multiple of 4096 bytes. The given model is not changed. Tensors in
 * attributes stay, because not every runtime looks for external data there. Throws `core/path` for
 * a path that is not below the model's folder.
 */
export function moveToExternalData(
  model: ModelProto,
  path: string,
  minBytes = 1024,
): { model: ModelProto; data: ExternalData } {
  const location = checkPath(path, path);
  const placed: { offset: number; bytes: ByteHandle }[] = [];
  let size = 0;

  const moveTensor = (tensor: TensorProto): TensorProto => {
    const { rawData, ...rest } = tensor;
    if (rawData === undefined || rawData.length < minBytes) return tensor;
    const offset = Math.ceil(size / alignment) * alignment;
    placed.push({ offset, bytes: handleOf(rawData) });
    size = offset + rawData.length;
    const entries = { location, offset: String(offset), length: String(rawData.length) };
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
    return { ...rest, externalData, dataLocation: DataLocation.EXTERNAL };
  };
  const moveGraph = (graph: GraphProto): GraphProto => ({
    ...graph,
    ...(graph.initializer && { initializer: graph.initializer.map(moveTensor) }),
    ...(graph.node && { node: graph.node.map(moveNode) }),
  });
  const moveNode = (node: NodeProto): NodeProto =>
    node.attribute ? { ...node, attribute: node.attribute.map(moveAttribute) } : node;
  const moveAttribute = (attribute: AttributeProto): AttributeProto => ({
    ...attribute,
    ...(attribute.g && { g: moveGraph(attribute.g) }),
    ...(attribute.graphs && { graphs: attribute.graphs.map(moveGraph) }),
  });

  const moved: ModelProto = {
    ...model,
    ...(model.graph && { graph: moveGraph(model.graph) }),
    ...(model.functions && {
      functions: model.functions.map((f) => ({
        ...f,
        ...(f.node && { node: f.node.map(moveNode) }),
      })),
    }),
  };
  const write = async (file: SinkFile): Promise<void> => {
    let at = 0;
    for (const { offset, bytes } of placed) {
      if (offset > at) await file.write(new Uint8Array(offset - at));
      for await (const chunk of bytes.chunks()) await file.write(chunk);
      at = offset + bytes.length;
    }
  };
  return { model: moved, data: { path: location, size, write } };
}
