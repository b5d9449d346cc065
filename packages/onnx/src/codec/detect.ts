import { DroverError, type Source } from '@drover/core';
import { ByteWindow } from '@drover/protobuf';
import { onnxSchema } from './messages.js';

/**
 * Whether a file is an ONNX model, by its top-level fields: an IR version followed by a graph, and
 * nothing that a ModelProto cannot hold. Reads a few windows and parses nothing below the top. A
 * truncated model counts as one, so that reading it says what is wrong.
 */
export async function isModel(source: Source): Promise<boolean> {
  const window = new ByteWindow(source);
  const { byNumber } = onnxSchema.type('ModelProto');
  let versioned = false;
  try {
    while (window.offset < source.size) {
      await window.fill(20);
      window.varint();
      const field = byNumber.get(window.lo >>> 3);
      const wireType = window.lo & 7;
      if (window.hi !== 0 || window.lo >>> 3 === 0 || (field && field.wireType !== wireType))
        return false;
      versioned ||= field?.name === 'irVersion';
      if (field?.name === 'graph') return versioned;
      if (wireType === 1 || wireType === 5) window.skip(wireType === 1 ? 8 : 4);
      else if (wireType === 0 || wireType === 2) {
        window.varint();
        const length = wireType === 2 ? window.hi * 2 ** 32 + window.lo : 0;
        if (length > source.size - window.offset) return false;
        window.skip(length);
      } else return false;
    }
    return false;
  } catch (error) {
    if (error instanceof DroverError && error.failure === 'malformed') return false;
    throw error;
  }
}
