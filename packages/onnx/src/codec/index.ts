export * from '../schema/message.js';
export * from '../schema/onnx.js';
export * from './limits.js';
export * from './payload.js';
export * from './decode.js';
export * from './encode.js';
