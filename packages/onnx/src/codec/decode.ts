import type { Source } from '@drover/core';
import * as protobuf from '@drover/protobuf';
import { onnxDiagnostics } from '../diagnostics.js';
import type { Messages, ModelProto } from '../schema/onnx.js';
import { decodeLimits, type Limits } from './limits.js';
import { onnxSchema } from './messages.js';

/**
 * Decodes one message that fills a file, by ranges: elements of tensors that are larger than 1 KiB
 * are left there, and their fields hold a `ByteHandle`. Errors: `protobuf/wire` with the byte
 * offset; `core/limit` naming the limit.
 */
export function decodeMessage<Name extends keyof Messages>(
  source: Source,
  name: Name,
  limits: Partial<Limits> = {},
): Promise<Messages[Name]> {
  return protobuf.decodeMessage(onnxSchema, name, source, decodeLimits(limits));
}

/** Decodes a model; see {@link decodeMessage}. A file without a graph is `onnx/empty`. */
export async function decodeModel(
  source: Source,
  limits: Partial<Limits> = {},
): Promise<ModelProto> {
  const origin = { file: source.name };
  if (source.size === 0)
    throw onnxDiagnostics.error('empty', { message: `${source.name} is empty.`, origin });
  const model = await decodeMessage(source, 'ModelProto', limits);
  if (!model.graph)
    throw onnxDiagnostics.error('empty', { message: `${source.name} holds no graph.`, origin });
  return model;
}
