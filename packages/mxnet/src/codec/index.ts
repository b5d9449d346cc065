export * from '../diagnostics.js';
export type {
  AttrDefault,
  AttrKind,
  AttrSchema,
  OpSchema,
  Slot,
  SlotCondition,
} from '../schema/op-schema.js';
export * from './attr-value.js';
export * from './operator.js';
export * from './symbol.js';
export * from './decode-symbol.js';
export * from './encode-symbol.js';
export * from './type-flag.js';
export * from './decode-params.js';
export * from './encode-params.js';
export * from './params-path.js';
