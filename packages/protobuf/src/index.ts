export { protobufDiagnostics } from './diagnostics.js';
export type { Int64, Message, WireDetail } from './message.js';
export {
  Schema,
  type Field,
  type FieldKind,
  type FieldType,
  type MessageType,
  type WireType,
} from './schema.js';
export { ByteWindow } from './byte-window.js';
export {
  defaultLimits,
  limitError,
  type Bound,
  type DecodeLimits,
  type MessageBounds,
} from './limits.js';
export { decodeMessage } from './decode.js';
export { encodedSize, encodeMessage, maxEncodedBytes } from './encode.js';
