export * from '../diagnostics.js';
export type { TfjsAttr, TfjsInput, TfjsOp } from '../schema/tfjs-op.js';
export { ops as tfjsOps } from '../schema/ops.js';
export * from './model.js';
export { decodeManifest } from './decode-manifest.js';
export * from './decode-model.js';
export * from './encode-model.js';
export * from './quantize.js';
export * from './write-model.js';
