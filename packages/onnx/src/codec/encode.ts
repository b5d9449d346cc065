import type { SinkFile } from '@drover/core';
import * as protobuf from '@drover/protobuf';
import type { Messages, ModelProto } from '../schema/onnx.js';
import { onnxSchema } from './messages.js';

/**
 * Writes one message as protobuf, its handles in pieces. The file is not closed. Errors:
 * `protobuf/too-large` above 2 GiB and `protobuf/unencodable`, both before anything is written, and
 * those of the handles.
 */
export function encodeMessage<Name extends keyof Messages>(
  name: Name,
  message: Messages[Name],
  file: SinkFile,
): Promise<void> {
  return protobuf.encodeMessage(onnxSchema, name, message, file);
}

/** Writes a model; see {@link encodeMessage}. */
export function encodeModel(model: ModelProto, file: SinkFile): Promise<void> {
  return encodeMessage('ModelProto', model, file);
}

/**
 * Bytes that {@link encodeModel} would write, counted without reading a handle. Above
 * `maxEncodedBytes` weights have to move to external data.
 */
export function encodedSize(model: ModelProto): number {
  return protobuf.encodedSize(onnxSchema, 'ModelProto', model);
}
