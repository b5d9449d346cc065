/* eslint-disable drover/no-open-lookup -- fields go by the names of the generated schema */
import type { Message, MessageType } from '@drover/protobuf';
import type { Messages, TensorProto } from '../schema/onnx.js';
import { onnxSchema } from './messages.js';

/**
 * Every TensorProto within a message, wherever it stands: initializers, attributes, subgraphs,
 * functions, parts of sparse tensors, training information.
 */
export function* tensorsOf<Name extends keyof Messages>(
  name: Name,
  message: Messages[Name],
): Generator<TensorProto> {
  const left: [MessageType, Message][] = [[onnxSchema.type(name), message]];
  for (let next = left.pop(); next; next = left.pop()) {
    const [type, at] = next;
    if (type.name === 'TensorProto') yield at as TensorProto;
    // Last first, so that they come out in the order of the file.
    for (const field of type.fields.toReversed()) {
      const value = (at as Record<string, unknown>)[field.name];
      if (!field.type || value === undefined) continue;
      const inner = field.repeated
        ? (value as readonly Message[]).toReversed()
        : [value as Message];
      for (const child of inner) left.push([field.type, child]);
    }
  }
}
