import type { EngineFailure, RawSignature, RawTensor } from '../engine.js';

/** What is asked of the process of an engine. */
export type EngineRequest =
  /** The next file of the model begins. Not answered. */
  | { readonly type: 'file'; readonly path: string; readonly size: number }
  /** The next bytes of the last file. Not answered. */
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  /** Loads the files that came, in the engine of the module at `engine`. */
  | { readonly type: 'load'; readonly engine: string; readonly settings: unknown }
  | { readonly type: 'run'; readonly inputs: readonly (readonly [string, RawTensor])[] };

/** What the process answers, in the order of the requests. */
export type EngineAnswer =
  | {
      readonly type: 'loaded';
      readonly inputs: readonly RawSignature[];
      readonly outputs: readonly RawSignature[];
    }
  | { readonly type: 'outputs'; readonly outputs: readonly (RawTensor | undefined)[] }
  | ({ readonly type: 'failure' } & Pick<EngineFailure, 'kind' | 'message' | 'help'>);
